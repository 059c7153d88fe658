-- expect: 10: error: a number that is nan where a finite one is wanted
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    local gain = 0/0
    return { x = gain*u.x, y = 0 }
  end,
  solver = { tspan = { 0, 1 } },
}
