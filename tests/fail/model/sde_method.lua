-- expect: solver.method: error: tsit5 is a method for ordinary differential equations
-- options: --method tsit5
local L = require "lrnde"
return L.sde { name = "bad", u0 = { 1 }, dynamics = function(u) return u end, diffusion = function(u) return u end, solver = { tspan = { 0, 1 } } }
