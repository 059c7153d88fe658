--- The Lorenz equations as published GPU benchmarks of ensembles have them (GPUODEBenchmarks): from (1, 0, 0), rho another in
-- every trajectory, tolerance 1e-8 in f32.  rho is a component that does not change: an initial state is a sample's own.
local L = require "lrnde"

return L.ode {
  name = "lorenz", precision = "f32",
  state = { "x", "y", "z", "rho" }, u0 = { 1, 0, 0, 21 },
  dynamics = function(u) return { 10 * (u.y - u.x), u.x * (u.rho - u.z) - u.y, u.x * u.y - 8 / 3 * u.z, 0 } end,
  solver = { method = "tsit5", atol = 1e-8, rtol = 1e-8, tspan = { 0, 1 } },
}
