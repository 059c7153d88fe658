-- expect: 100 steps are not enough: t = 0.000
--- Stiff, with few steps allowed.
local L = require "lrnde"
return L.ode {
  name = "fault", u0 = { 1 },
  dynamics = function(u, t) return { -1e6*(u[1] - L.cos(t)) } end,
  solver = { tspan = { 0, 2 }, max_steps = 100 },
}
