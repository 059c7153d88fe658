-- expect: 8: error: f takes 3 features but is given 2
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { f = L.dense { 3, 2 } },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    return p.f(u)
  end,
  solver = { tspan = { 0, 1 } },
}
