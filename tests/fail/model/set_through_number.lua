-- expect: error: --set solver.atol.x: 'atol' is no table
-- options: --set solver.atol.x=1
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { atol = 1e-6, tspan = { 0, 1 } },
}
