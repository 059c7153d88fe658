-- expect: solver.tspan: error: a stochastic equation is solved forwards in time
local L = require "lrnde"
return L.sde { name = "bad", u0 = { 1 }, dynamics = function(u) return u end, diffusion = function(u) return u end, solver = { tspan = { 1, 0 } } }
