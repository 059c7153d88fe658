-- expect: 9: error: no such case
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    error("no such case")
  end,
  solver = { tspan = { 0, 1 } },
}
