-- expect: tolerances even at h = -4.44e-16, t = 1.000
-- options: --tspan 2,0
--- Blows up on the way back from 2.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { -u[1]^2 } end,
  solver = { tspan = { 0, 2 } },
}
