--- A network through every activation, time entering every second layer, no bias in one; a linear head with cross-entropy.
local L = require "lrnde"

return L.ode {
  name = "activations",
  data = L.idx { "none", x = "images", label = "labels", size = 5, classes = 4 },
  state = 5,
  u0 = function(d) return d.x end,
  dynamics = L.chain {
    L.dense { 5, 3, "tanh", time = true }, L.dense { 3, 24, "sigmoid" }, L.dense { 24, 33, "relu", time = true },
    L.dense { 33, 6, "gelu" }, L.dense { 6, 2, "softplus", time = true }, L.dense { 2, 5, "identity", bias = false },
  },
  output = { logits = L.dense { 5, 4 } },
  loss = L.cross_entropy { "logits" },
  solver = { method = "bs3", tspan = { 0, 1 } },
  sensitivity = "interpolating",
}
