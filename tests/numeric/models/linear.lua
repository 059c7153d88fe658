--- u' = p u: u = u0 exp(p t).
local L = require "lrnde"

return L.ode {
  name = "linear",
  params = { 1.01 },
  u0 = { 0.5 },
  dynamics = function(u, t, p) return { p[1] * u[1] } end,
  solver = { tspan = { 0, 1 } },
}
