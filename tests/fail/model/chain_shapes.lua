-- expect: 8: error: L.chain: item 1 gives 50 features but item 2 takes 40
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = L.chain { L.dense { 2, 50, "tanh" }, L.dense { 40, 2 } },
  solver = { tspan = { 0, 1 } },
}
