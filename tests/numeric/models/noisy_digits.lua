--- The classifier of tests/fixtures/digits.lua under noise.
local L = require "lrnde"

return L.sde {
  name = "noisy_digits", precision = "f32",
  data = L.idx { "digits", x = "images", label = "labels", size = 4, classes = 3 },
  state = 4,
  u0 = function(d) return d.x end,
  drift = L.dense { 4, 4, "tanh" },
  diffusion = function() return { 0.5, 0.5, 0.5, 0.5 } end,
  output = { logits = L.dense { 4, 3 } },
  loss = L.cross_entropy { "logits", data = "label" },
  solver = { method = "sosra", atol = 0.1, rtol = 0.1, tspan = { 0, 1 } },
  train = { optimizer = L.adam { lr = 1e-2 }, batch = 8, steps = 3, evaluate_every = 1 },
}
