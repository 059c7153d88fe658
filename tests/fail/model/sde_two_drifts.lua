-- expect: drift: error: given beside 'dynamics', which is the same
local L = require "lrnde"
return L.sde { name = "bad", u0 = { 1 }, drift = L.dense { 1, 1 }, dynamics = L.dense { 1, 1 }, diffusion = L.dense { 1, 1 }, solver = { tspan = { 0, 1 } } }
