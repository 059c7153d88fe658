-- expect: 8: error: L.dense: size 1 must be a whole number from 1 to 1,000,000
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = L.dense { 2.5, 2 },
  solver = { tspan = { 0, 1 } },
}
