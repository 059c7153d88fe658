-- expect: solver.atol: error: has 2 numbers for a state of 3
local L = require "lrnde"
return L.ode {
  name = "x", u0 = { 1, 2, 3 },
  dynamics = function(u) return -u end,
  solver = { atol = { 1e-6, 1e-8 }, tspan = { 0, 1 } },
}
