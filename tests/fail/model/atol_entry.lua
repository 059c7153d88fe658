-- expect: solver.atol: error: entry 2 must be a number that is not negative
local L = require "lrnde"
return L.ode {
  name = "x", u0 = { 1, 2, 3 },
  dynamics = function(u) return -u end,
  solver = { atol = { 1e-6, -1e-8, 1 }, tspan = { 0, 1 } },
}
