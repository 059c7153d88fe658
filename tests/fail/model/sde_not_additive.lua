-- expect: 4: error: diffusion depends on u, but sra1 is for additive noise; use a method of the family sri
-- options: --method sra1
local L = require "lrnde"
local function g(u) return 0.1 * u end
return L.sde { name = "bad", u0 = { 1 }, dynamics = function(u) return u end, diffusion = g, solver = { tspan = { 0, 1 } } }
