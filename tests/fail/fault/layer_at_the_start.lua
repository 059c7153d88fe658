-- expect: the state or its derivative is not finite at t = 0, stage 1, sample 1, layer f.1
-- options: --input $SAMPLES
--- The second layer of a network is not a number in the second sample.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  params = { f = L.chain { function(x) return x - 1 end, L.log, L.dense { 1, 1 } } },
  dynamics = function(u, t, p) return p.f(u) end,
  solver = { tspan = { 0, 2 } },
}
