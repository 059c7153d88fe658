-- expect: error: --set dynamics.x: 'dynamics' is no table
-- options: --set dynamics.x=1
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = L.dense { 2, 2 },
  solver = { tspan = { 0, 1 } },
}
