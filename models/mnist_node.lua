--- The paper's MNIST classifier: images flow through a neural ODE in pixel space, a linear layer reads the digit off u(1).
local L = require "lrnde"

return L.ode {
  name = "mnist_node", precision = "f32",
  data = L.idx { "mnist", x = "images", label = "labels" },
  state = 784,
  u0 = function(d) return d.x end,
  dynamics = L.chain { L.dense { 784, 100, "tanh", time = true }, L.dense { 100, 784, time = true } },
  output = { logits = L.dense { 784, 10 } },
  loss = L.cross_entropy { "logits", data = "label" },
  solver = { method = "tsit5", atol = 1.4e-8, rtol = 1.4e-8, tspan = { 0, 1 }, max_steps = 10000 },
  sensitivity = "interpolating",
  regularize = { sampling = "unbiased", step_size = "automatic", gradient = "truncated", coefficient = L.exponential { 2.5, 1.0 } },
  train = { optimizer = L.adam { lr = 1e-3 }, batch = 512, steps = 7500 },
}
