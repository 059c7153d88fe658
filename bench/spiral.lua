--- The right-hand side that spiral_rhs times: a network so small that calling a matrix library costs more than its products.
local L = require "lrnde"

return L.ode {
  name = "spiral_rhs", precision = "f32",
  state = 2, u0 = { 2, 0 },
  dynamics = L.chain { L.dense { 2, 50, "tanh" }, L.dense { 50, 2 } },
  solver = { method = "tsit5", atol = 1e-6, rtol = 1e-6, tspan = { 0, 1.5 } },
}
