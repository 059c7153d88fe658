-- expect: regularize.gradient: error: of a step by vcab3, which remembers others, only "partial"; regularize.method can name another method
local L = require "lrnde"
return L.ode {
  name = "m", u0 = { 1 }, dynamics = function(u) return { -u[1] } end,
  solver = { method = "vcab3", tspan = { 0, 1 } },
  regularize = { gradient = "total" },
}
