-- expect: saveat: error: 2 is outside tspan, 0 to 1
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  saveat = { 0.5, 2 },
  solver = { tspan = { 0, 1 } },
}
