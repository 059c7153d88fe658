-- expect: the state or its derivative is not finite at t = 0, stage 1, sample 1, component u[1]
-- options: --input $SAMPLES
--- Not a number from the first call on, in the second sample.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { L.log(u[1] - 1) } end,
  solver = { tspan = { 0, 2 } },
}
