-- expect: regularize.method: error: no 'tsit' in tableaus/; did you mean 'tsit5'?
local L = require "lrnde"
return L.ode {
  name = "m", u0 = { 1 }, dynamics = function(u) return { -u[1] } end,
  solver = { method = "bs3", tspan = { 0, 1 } },
  regularize = { method = "tsit" },
}
