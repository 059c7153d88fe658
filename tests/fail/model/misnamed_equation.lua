-- expect: 8: error: dynamics gives 'z'; did you mean 'x'?
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    return { x = u.x, y = 0, z = 1 }
  end,
  solver = { tspan = { 0, 1 } },
}
