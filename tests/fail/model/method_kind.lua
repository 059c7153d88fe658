-- expect: solver.method: error: must be a method, by name or as L.<name> {}
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { method = L.adam {}, tspan = { 0, 1 } },
}
