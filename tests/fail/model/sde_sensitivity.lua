-- expect: sensitivity: error: interpolating is for ordinary differential equations; stochastic ones have "discrete"
-- options: --set sensitivity=interpolating
local L = require "lrnde"
return L.sde { name = "bad", u0 = { 1 }, dynamics = function(u) return u end, diffusion = function(u) return u end, solver = { tspan = { 0, 1 } } }
