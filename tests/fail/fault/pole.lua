-- expect: tolerances even at h = 4.44e-16, t = 0.5
--- The right-hand side has a pole at t = 0.5.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { 1 / (t - 0.5) } end,
  solver = { tspan = { 0, 2 } },
}
