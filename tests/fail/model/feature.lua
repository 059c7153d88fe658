-- expect: 9: error: there is no 'z'; known: x, y
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    return { x = u.z, y = 0 }
  end,
  solver = { tspan = { 0, 1 } },
}
