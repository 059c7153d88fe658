-- expect: 8: error: dynamics gives 1 when it is called with numbers where its trace gives 0: it branches on a value, perhaps by ==; use L.where and L.eq
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    local drive = p.rate == 0.5 and 1 or 0
    return { x = drive, y = u.y }
  end,
  solver = { tspan = { 0, 1 } },
}
