-- expect: 8: error: lrnde has no 'chian'; did you mean 'chain'?
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = L.chian { L.dense { 2, 2 } },
  solver = { tspan = { 0, 1 } },
}
