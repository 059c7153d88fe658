-- expect: 9: error: a value cannot be changed; compute a new one, such as { a, b }
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    u.x = 0
    return u
  end,
  solver = { tspan = { 0, 1 } },
}
