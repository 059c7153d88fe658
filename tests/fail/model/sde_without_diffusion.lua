-- expect: missing field 'diffusion'
local L = require "lrnde"
return L.sde { name = "bad", u0 = { 1 }, dynamics = function(u) return u end, solver = { tspan = { 0, 1 } } }
