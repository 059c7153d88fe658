-- expect: diffusion: error: unknown field
local L = require "lrnde"
return L.ode { name = "bad", u0 = { 1 }, dynamics = function(u) return u end, diffusion = function(u) return u end, solver = { tspan = { 0, 1 } } }
