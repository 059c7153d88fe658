-- expect: 8: error: dynamics gives a nil where a number, a value or a list of them is wanted
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    u = -u
  end,
  solver = { tspan = { 0, 1 } },
}
