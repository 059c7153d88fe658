--- One parameter: the gradient of the adjoint is a vector of one feature.
local L = require "lrnde"

return L.ode {
  name = "single",
  params = { mu = 1 },
  u0 = { 2, 0 },
  dynamics = function(u, t, p) return { u[2], p.mu*(1 - u[1]^2)*u[2] - u[1] } end,
  solver = { method = "dp5", tspan = { 0, 1 } },
  sensitivity = "interpolating",
}
