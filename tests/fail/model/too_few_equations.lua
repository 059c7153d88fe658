-- expect: 8: error: dynamics gives 1 numbers for a state of 2
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    return { u.x }
  end,
  solver = { tspan = { 0, 1 } },
}
