-- expect: solver.rtol: error: must be of type number, not string
-- options: --set 'solver.rtol=(function() while true do end end)()'
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { tspan = { 0, 1 } },
}
