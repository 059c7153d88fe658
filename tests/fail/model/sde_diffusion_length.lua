-- expect: 4: error: diffusion gives 1 numbers for a state of 2
local L = require "lrnde"
return L.sde { name = "bad", u0 = { 1, 2 }, dynamics = function(u) return u end,
  diffusion = function(u) return { u[1] } end, solver = { tspan = { 0, 1 } } }
