--- Three stochastic equations whose solutions are functions of W(t): u0 e^((a - b^2/2) t + b W), tanh(W/2 + artanh u0),
--- arctan(W/10 + tan u0).
local L = require "lrnde"

return L.sde {
  name = "known_paths",
  state = { "linear", "cubic", "wave" },
  u0 = { 0.5, 0.5, 1 },
  dynamics = function(u)
    return { linear = 1.01 * u.linear, cubic = -0.25 * u.cubic * (1 - u.cubic^2), wave = -0.01 * L.sin(u.wave) * L.cos(u.wave)^3 }
  end,
  diffusion = function(u) return { linear = 0.87 * u.linear, cubic = 0.5 * (1 - u.cubic^2), wave = 0.1 * L.cos(u.wave)^2 } end,
  solver = { tspan = { 0, 1 } },
}
