-- expect: error: --tile 100 is not a power of two up to 4096
-- options: --tile 100
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { tspan = { 0, 1 } },
}
