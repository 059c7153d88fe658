--- The demo: clothes recognised by a small neural ODE.  An encoder reads the image into 32 features, the ODE moves them from
--- t = 0 to 2, a linear layer reads the class off u(2).
local L = require "lrnde"
local D, H = L.option("features", 32), L.option("hidden", 64)

return L.ode {
  name = "fashion_node", precision = "f32",
  data = L.idx { "fashion-mnist", x = "images", label = "labels" },
  state = D,
  params = { encoder = L.dense { 784, D } },
  u0 = function(d, p) return p.encoder(d.x) end,
  dynamics = L.chain { L.dense { D, H, "tanh", time = true }, L.dense { H, D, time = true } },
  output = { logits = L.dense { D, 10 } },
  loss = L.cross_entropy { "logits", data = "label" },
  solver = { method = "tsit5", atol = 1e-6, rtol = 1e-6, tspan = { 0, 2 } },
  sensitivity = "discrete",
  regularize = { sampling = "biased", coefficient = 10 },
  train = { optimizer = L.adam { lr = L.cosine { 1e-2, 1e-4 } }, batch = 128, steps = 600 },
}
