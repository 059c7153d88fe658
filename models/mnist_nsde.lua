--- The paper's neural SDE: an affine map of an MNIST image flows through a stochastic equation in R^32, a linear layer reads the
--- digit off u(1).  The method is its code's; its text has sosri2 (--method sosri2).
local L = require "lrnde"

return L.sde {
  name = "mnist_nsde", precision = "f32",
  data = L.idx { "mnist", x = "images", label = "labels" },
  state = 32,
  params = { encoder = L.dense { 784, 32 } },
  u0 = function(d, p) return p.encoder(d.x) end,
  drift = L.chain { L.dense { 32, 64, "tanh" }, L.dense { 64, 32 } },
  diffusion = L.dense { 32, 32 },
  output = { logits = L.dense { 32, 10 } },
  loss = L.cross_entropy { "logits", data = "label" },
  solver = { method = "sosri", atol = 0.14, rtol = 0.14, tspan = { 0, 1 }, max_steps = 10000 },
  regularize = { sampling = "unbiased", step_size = "automatic", gradient = "partial", coefficient = 1000 },
  train = { optimizer = L.adam { lr = L.inverse { 0.01, 1e-5 } }, batch = 512, steps = 4000, evaluate_every = 500 },
}
