--- Kaps' problem, as stiff as mu: u = (exp(-2 t), exp(-t)).
local L = require "lrnde"

return L.ode {
  name = "kaps", params = { 1e6 }, u0 = { 1, 1 },
  dynamics = function(u, t, p) return { -(p[1] + 2)*u[1] + p[1]*u[2]^2, u[1] - u[2] - u[2]^2 } end,
  solver = { method = "rodas5", tspan = { 0, 1 } },
}
