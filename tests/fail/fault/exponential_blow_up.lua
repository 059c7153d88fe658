-- expect: tolerances even at h = 4.44e-16, t = 0.367
--- u = -log(exp(-1) - t).
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { L.exp(u[1]) } end,
  solver = { tspan = { 0, 2 } },
}
