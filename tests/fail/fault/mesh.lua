-- expect: not finite at t = 0, h = 1, stage 2, sample 0
-- options: --mesh 0,1,2,3
--- Prescribed steps are too long for it.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { 1e200*u[1]^3 } end,
  solver = { tspan = { 0, 2 } },
}
