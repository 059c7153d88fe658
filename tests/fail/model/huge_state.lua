-- expect: state: error: 1000000000 is not between 1 and 1,000,000
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = 1e9 // 1 | 0,
  u0 = { 1 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { tspan = { 0, 1 } },
}
