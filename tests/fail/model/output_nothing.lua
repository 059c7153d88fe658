-- expect: output: error: must give a table of named values
local L = require "lrnde"
return L.ode {
  name = "fails",
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -u.x, y = u.x } end,
  output = {},
  solver = { tspan = { 0, 1 } },
}
