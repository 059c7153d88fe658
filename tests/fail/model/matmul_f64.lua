-- expect: matmul: error: '3xtf32' is of products of f32 that are accumulated in f32
local L = require "lrnde"
return L.ode {
  name = "fails", matmul = "3xtf32",
  u0 = { 1 },
  dynamics = function(u) return -u end,
  solver = { method = "tsit5", atol = 1e-6, rtol = 1e-6, tspan = { 0, 1 } },
}
