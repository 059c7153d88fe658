-- expect: 10: error: index 3 is outside 1..2
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    local v = u[1]
    return { x = v, y = u[3] }
  end,
  solver = { tspan = { 0, 1 } },
}
