-- expect: params.rate: error: must be a finite number, a list of them or a network
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = "fast" },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { tspan = { 0, 1 } },
}
