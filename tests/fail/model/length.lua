-- expect: 9: error: add: shapes (2) and (3) do not fit
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    return u + { 1, 2, 3 }
  end,
  solver = { tspan = { 0, 1 } },
}
