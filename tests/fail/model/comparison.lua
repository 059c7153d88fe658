-- expect: 9: error: values cannot be compared with < or >; use L.where, L.lt, L.max or L.min
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    if u.x < 0 then return { x = 0, y = 0 } end
    return { x = u.x, y = 0 }
  end,
  solver = { tspan = { 0, 1 } },
}
