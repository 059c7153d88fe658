-- expect: saveat: error: gives 999999999 times, not 1 to 1000000
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  saveat = 1e-9,
  solver = { tspan = { 0, 1 } },
}
