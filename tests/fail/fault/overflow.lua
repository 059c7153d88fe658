-- expect: the state or its derivative is not finite at t = 0
--- Beyond the range of f32.
local L = require "lrnde"
return L.ode {
  name = "fault", precision = "f32", u0 = { 1 },
  dynamics = function(u, t) return { 1e30*u[1]*(1 + L.abs(u[1])) } end,
  solver = { tspan = { 0, 2 } },
}
