-- expect: not finite at t = 1, h = 4.44e-16, stage 2, sample 0, component v
--- The second component is not a number after t = 1.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1, 1 }, state = { "x", "v" },
  dynamics = function(u, t) return { x = -u.x, v = L.log(1 - t) } end,
  solver = { tspan = { 0, 2 } },
}
