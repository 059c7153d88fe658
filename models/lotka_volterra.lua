--- Lotka-Volterra: prey u[1] grow at p[1] and are eaten at p[2]; predators u[2] die at p[3] and feed at p[4].
local L = require "lrnde"

return L.ode {
  name = "lotka_volterra", precision = "f64",
  params = { 1.5, 1, 3, 1 },
  u0 = { 1, 1 },
  dynamics = function(u, t, p)
    return { p[1]*u[1] - p[2]*u[1]*u[2], -p[3]*u[2] + p[4]*u[1]*u[2] }
  end,
  solver = { method = "tsit5", atol = 1e-8, rtol = 1e-8, tspan = { 0, 10 } },
}
