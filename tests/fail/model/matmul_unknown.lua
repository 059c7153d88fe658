-- expect: matmul: error: must be "native", "3xtf32" or "tf32"
local L = require "lrnde"
return L.ode {
  name = "fails", matmul = "bf16",
  u0 = { 1 },
  dynamics = function(u) return -u end,
  solver = { method = "tsit5", atol = 1e-6, rtol = 1e-6, tspan = { 0, 1 } },
}
