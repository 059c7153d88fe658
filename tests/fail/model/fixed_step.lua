-- expect: solver.h: error: the fixed step must be positive
local L = require "lrnde"
return L.ode {
  name = "fail", u0 = { 1 },
  dynamics = function(u) return { -u[1] } end,
  solver = { method = "rk4", h = 0, tspan = { 0, 1 } },
}
