-- expect: not finite at t = 0, h = 1, stage 2, sample 0, layer f.1
-- options: --mesh 0,1,2,3
--- A prescribed step is too long: the second stage's argument is too large for the square, the first's is not.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  params = { f = L.chain { L.dense { 1, 1, bias = false }, function(x) return x^2 end, function(x) return 1e200*x end } },
  dynamics = function(u, t, p) return p.f(u) end,
  solver = { tspan = { 0, 2 } },
}
