-- expect: dynamics: error: gives 3 numbers for a state of 2
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = L.chain { L.dense { 2, 50, "tanh" }, L.dense { 50, 3 } },
  solver = { tspan = { 0, 1 } },
}
