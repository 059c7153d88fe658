--- Values that are the same for every sample: networks of time and of parameters, sums over parameters.
local L = require "lrnde"

return L.ode {
  name = "shared",
  params = { f = L.dense { 2, 3, "tanh" }, g = L.dense { 3, 2 }, w = { 0.3, -1.2 } },
  u0 = { 1, -1 },
  dynamics = function(u, t, p)
    return p.g(p.f({ 1, t })) * L.sum(p.w) - p.f(p.w)[2] * u + L.sum(p.w * p.w) * L.sum({ 0.1, p.w[1] })
  end,
  solver = { method = "bs3", tspan = { 0, 1 } },
}
