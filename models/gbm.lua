--- Geometric Brownian motion: E u = u0 e^(mu t), E u^2 = u0^2 e^((2 mu + sigma^2) t).
local L = require "lrnde"

return L.sde {
  name = "gbm", precision = "f64",
  params = { mu = 1.01, sigma = 0.87 },
  u0 = { 0.5 },
  dynamics = function(u, t, p) return p.mu * u end,
  diffusion = function(u, t, p) return p.sigma * u end,
  solver = { method = "sosri", atol = 1e-2, rtol = 1e-2, tspan = { 0, 1 } },
}
