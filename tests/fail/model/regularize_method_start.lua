-- expect: regularize.method: error: vcab3 has no steps before a local one to remember; it begins with bs3
local L = require "lrnde"
return L.ode {
  name = "m", u0 = { 1 }, dynamics = function(u) return { -u[1] } end,
  solver = { method = "tsit5", tspan = { 0, 1 } },
  regularize = { method = "vcab3" },
}
