-- expect: regularize.method: error: a stochastic equation's local step is one of its own method
local L = require "lrnde"
return L.sde {
  name = "m", u0 = { 1 }, drift = function(u) return { -u[1] } end, diffusion = function(u) return { 0.1 * u[1] } end,
  solver = { method = "sosri", tspan = { 0, 1 } },
  regularize = { method = "sosri2" },
}
