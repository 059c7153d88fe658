--- A stochastic equation: a drift of a network and an equation, a diffusion of a network, shifted by a constant of the solve;
--- outputs, a loss, a local regularizer.  --set additive=true makes the noise additive.
local L = require "lrnde"

local additive = L.option("additive", false)
local noise = L.chain { L.dense { 2, 3, "tanh" }, L.dense { 3, 2 } }

return L.sde {
  name = "stochastic", precision = "f64",
  data = L.csv { "none.csv", id = "id", t = "t", series = { u = { "x", "y" } }, context = { drive = { "a", "b" } } },
  state = { "x", "y" },
  params = { f = L.chain { L.dense { 2, 5, "tanh", time = true }, L.dense { 5, 2 } }, s = noise, damping = 0.1 },
  context = function(d) return { drive = d.drive * 2 } end,
  u0 = function(d) return d.u:first() end,
  drift = function(u, t, p, x) return p.f(u) - p.damping*u + x.drive end,
  diffusion = function(u, t, p, x) return additive and p.damping*(1 + t)*x.drive or p.s(u) + 0.1*x.drive end,
  saveat = "data",
  output = function(u) return { y = u } end,
  loss = L.mse { "y", data = "u" },
  solver = { method = "sosri", tspan = "data" },
  regularize = { gradient = "total" },
  train = { optimizer = L.adam { lr = 1e-2 }, batch = "all", steps = 10 },
}
