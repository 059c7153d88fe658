-- expect: not finite at t = 0.344616
-- options: --input $SAMPLES
--- The second sample reaches 0, where the root ends, before the first does.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { -L.sqrt(u[1]) - 1 } end,
  solver = { tspan = { 0, 2 } },
}
