-- expect: solver.method: error: rodas5 factorises the Jacobian of at most 256 features, not 300
local L = require "lrnde"
return L.ode {
  name = "x", state = 300,
  u0 = function(d) return d.x end,
  dynamics = function(u) return -u end,
  solver = { method = "rodas5", tspan = { 0, 1 } },
}
