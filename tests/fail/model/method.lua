-- expect: solver.method: error: no 'tsti5' in tableaus/; did you mean 'tsit5'?
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { method = "tsti5", tspan = { 0, 1 } },
}
