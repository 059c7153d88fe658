-- expect: regularize: error: rk4 has no error estimate to regularize
local L = require "lrnde"
return L.ode {
  name = "fail", u0 = { 1 },
  dynamics = function(u) return { -u[1] } end,
  solver = { method = "rk4", h = 0.1, tspan = { 0, 1 } }, regularize = {},
}
