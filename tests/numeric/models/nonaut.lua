--- u' = -u^2 sin t: nonlinear, depends on time, and u = 1 / (2 - cos t) exactly.
local L = require "lrnde"

return L.ode {
  name = "nonaut",
  u0 = { 1 },
  dynamics = function(u, t) return { -u[1]^2 * L.sin(t) } end,
  solver = { tspan = { 0, 2 } },
}
