-- expect: solver.method: error: sosri is a method for stochastic differential equations
-- options: --method sosri
local L = require "lrnde"
return L.ode { name = "bad", u0 = { 1 }, dynamics = function(u) return u end, solver = { tspan = { 0, 1 } } }
