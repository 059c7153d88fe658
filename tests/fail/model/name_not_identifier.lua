-- expect: name: error: 'two words' is not a C identifier of at most 64 letters
local L = require "lrnde"
return L.ode {
  name = "two words",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { tspan = { 0, 1 } },
}
