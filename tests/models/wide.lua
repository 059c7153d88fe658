--- Layers large enough to be calls of the matrix library: wide tiles, scratch in the workspace, gradients by products.
local L = require "lrnde"

return L.ode {
  name = "wide", precision = "f32",
  data = L.idx { "none", x = "images", label = "labels", size = 72, classes = 10 },
  state = 72,
  u0 = function(d) return d.x end,
  dynamics = L.chain { L.dense { 72, 60, "tanh", time = true }, L.dense { 60, 72, time = true } },
  output = { logits = L.dense { 72, 10 } },
  loss = L.cross_entropy { "logits" },
  solver = { method = "heun21", tspan = { 0, 1 } },
  regularize = { sampling = "unbiased", gradient = "truncated" },
  train = { optimizer = L.sgd { lr = 1e-2 }, batch = 64, steps = 10 },
}
