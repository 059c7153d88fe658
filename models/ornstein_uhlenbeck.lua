--- The Ornstein-Uhlenbeck process: drawn back to mu, shaken alike everywhere.  Var u = sigma^2 (1 - e^(-2 theta t)) / (2 theta).
local L = require "lrnde"

return L.sde {
  name = "ornstein_uhlenbeck", precision = "f64",
  params = { theta = 1, mu = 0.5, sigma = 0.3 },
  u0 = { 2 },
  dynamics = function(u, t, p) return p.theta * (p.mu - u) end,
  diffusion = function(u, t, p) return { p.sigma } end,
  solver = { method = "sosra", atol = 1e-3, rtol = 1e-3, tspan = { 0, 5 } },
}
