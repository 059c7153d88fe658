-- expect: regularize.estimate: error: bs3 has no estimate of stiffness: an explicit method with two stages at c = 1 has
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { method = "bs3", tspan = { 0, 1 } },
  regularize = { estimate = "stiffness" },
}
