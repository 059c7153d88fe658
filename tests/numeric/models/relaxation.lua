--- Van der Pol's equation with a small parameter before the derivative: slow and fast motion in turns.
local L = require "lrnde"

return L.ode {
  name = "relaxation", params = { 1e-6 }, u0 = { 2, 0 },
  dynamics = function(u, t, p) return { u[2], ((1 - u[1]^2)*u[2] - u[1])/p[1] } end,
  solver = { method = "rodas5", tspan = { 0, 2 } },
}
