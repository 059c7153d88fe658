-- expect: memory limit: with checkpoints a gradient needs 0.00
-- options: --memory-limit 2500 --rtol 1e-12 --atol 1e-12 --gradient 'u[1]' --sensitivity discrete
--- A record that needs more than it may, however little it keeps.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { L.sin(1000*t)*u[1] } end,
  solver = { tspan = { 0, 2 } },
}
