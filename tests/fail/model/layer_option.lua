-- expect: 8: error: L.dense: option 'tiem': unknown; did you mean 'time'?
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = L.dense { 2, 2, tiem = true },
  solver = { tspan = { 0, 1 } },
}
