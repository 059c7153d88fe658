--- A small neural SDE fitted to the spirals of models/spiral.csv by their mean square distance, of which its noise is a part: it
--- learns to be quiet.
local L = require "lrnde"

return L.sde {
  name = "neural_sde_spiral", precision = "f32",
  data = L.csv { "spiral.csv", id = "sample", t = "t", series = { u = { "x", "y" } } },
  state = { "x", "y" },
  params = { f = L.chain { L.dense { 2, 50, "tanh" }, L.dense { 50, 2 } } },
  u0 = function(d) return d.u:first() end,
  drift = function(u, t, p) return p.f(u^3) end,
  diffusion = L.dense { 2, 2 },
  saveat = "data", output = function(u) return { y = u } end, loss = L.mse { "y", data = "u" },
  solver = { method = "sosri", atol = 0.05, rtol = 0.05, tspan = "data" },
  train = { optimizer = L.adam { lr = 1e-2 }, batch = "all", steps = 3000 },
}
