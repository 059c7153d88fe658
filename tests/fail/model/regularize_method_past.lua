-- expect: regularize.gradient: error: "truncated" holds what a step begins with, and one by vcab3 is made of nothing else: its gradient would be zero
local L = require "lrnde"
return L.ode {
  name = "m", u0 = { 1 }, dynamics = function(u) return { -u[1] } end,
  solver = { method = "vcab3", tspan = { 0, 1 } },
  regularize = { gradient = "truncated" },
}
