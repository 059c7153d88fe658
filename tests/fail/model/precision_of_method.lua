-- expect: precision: error: rodas5 needs "f64"
local L = require "lrnde"
return L.ode {
  name = "x", precision = "f32",
  u0 = { 1 },
  dynamics = function(u) return -u end,
  solver = { method = "rodas5", tspan = { 0, 1 } },
}
