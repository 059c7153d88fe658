-- expect: lrnde-solve: error: solve: 0.001 s are over: t = 
-- options: --time-limit 1e-3
--- The time limit of the command line.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1, 0 },
  dynamics = function(u) return { 1e6 * u[2], -1e6 * u[1] } end,
  solver = { tspan = { 0, 1 } },
}
