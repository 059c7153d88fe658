-- expect: 9: error: values cannot be compared with ==; use L.where and L.eq
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    if u.x == u.y then return { x = 1, y = 1 } end
    return u
  end,
  solver = { tspan = { 0, 1 } },
}
