-- expect: dynamics: error: must be a function of u, t and p, or a network
local L = require "lrnde"
return L.sde { name = "bad", u0 = { 1 }, diffusion = function(u) return u end, solver = { tspan = { 0, 1 } } }
