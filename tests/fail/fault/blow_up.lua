-- expect: tolerances even at h = 4.44e-16, t = 0.9999
--- u = 1 / (1 - t).
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { u[1]^2 } end,
  solver = { tspan = { 0, 2 } },
}
