-- expect: 10: error: L.backsolve: option 'checkpoint': unknown; did you mean 'checkpoints'?
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { tspan = { 0, 1 } },
  sensitivity = L.backsolve { checkpoint = 4 },
}
