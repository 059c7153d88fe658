--- A system that starts where the data say and is driven by a constant of the solve: nothing but --input decides it.
local L = require "lrnde"

return L.ode {
  name = "driven",
  data = L.csv { "driven.csv", context = { drive = { "a", "b" } }, x = { "x", "y" } },
  state = { "x", "y" },
  params = { damping = 0.4 },
  context = function(d) return { drive = d.drive * d.drive } end,
  u0 = function(d) return L.tanh(d.x) end,
  dynamics = function(u, t, p, c) return { x = u.y * c.drive[1], y = c.drive[2] * L.cos(t) - u.x - p.damping * u.y } end,
  solver = { tspan = { 0, 2 } },
}
