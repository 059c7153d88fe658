-- expect: 8: error: dynamics gives a string in a list of numbers and values
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    return { x = "u.x", y = 0 }
  end,
  solver = { tspan = { 0, 1 } },
}
