--- Additive noise, a linear drift, and a solution that is a function of W(t): (u0 + b (t + a W)) / sqrt(1 + t), a = 0.1, b = 0.05.
local L = require "lrnde"

return L.sde {
  name = "known_additive",
  u0 = { 1 },
  dynamics = function(u, t) return 0.05 / L.sqrt(1 + t) - u / (2 * (1 + t)) end,
  diffusion = function(u, t) return { 0.005 / L.sqrt(1 + t) } end,
  solver = { tspan = { 0, 1 } },
}
