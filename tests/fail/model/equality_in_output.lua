-- expect: 9: error: output gives 1 when it is called with numbers where its trace gives 2: it branches on a value, perhaps by ==; use L.where and L.eq
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  output = function(u, t) return { y = t == 0 and u or 2*u } end,
  solver = { tspan = { 0, 1 } },
}
