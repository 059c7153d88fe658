-- expect: 3 steps are not enough: t = 0.04
-- options: --set solver.max_steps=3 --rtol 1e-9 --atol 1e-9
--- The limit of the command line.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { -u[1] } end,
  solver = { tspan = { 0, 2 } },
}
