-- expect: error: 100003000001 parameters; at most 2147483647 are possible
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = L.chain { L.dense { 2, 1000000 }, L.dense { 1000000, 100000 }, L.dense { 100000, 2 } },
  solver = { tspan = { 0, 1 } },
}
