-- expect: lrnde-solve: error: the gradient is not finite
-- options: --gradient "u[1]"
--- The solution stays at 0, where the root has no derivative.
local L = require "lrnde"
return L.ode {
  name = "fault", params = { 1 }, u0 = { 0 },
  dynamics = function(u, t, p) return p[1] * L.sqrt(u) end,
  solver = { tspan = { 0, 1 } },
}
