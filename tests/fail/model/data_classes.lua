-- expect: error: sizes and classes must be below 2^31
local L = require "lrnde"
return L.ode {
  name = "m", data = L.idx { "d", x = "x", label = "y", size = 4, classes = 1 << 32 }, state = 4,
  u0 = function(d) return d.x end, dynamics = function(u) return { -u[1], -u[2], -u[3], -u[4] } end,
  solver = { tspan = { 0, 1 } },
}
