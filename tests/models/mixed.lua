--- Everything at once: equations around a network that is called twice, context constants, numbers and a vector as
--- parameters, a series and a label in the data, two outputs, two losses, a local regularizer, an optimizer.
local L = require "lrnde"

return L.ode {
  name = "mixed",
  data = L.csv { "none.csv", id = "id", t = "t", series = { u = { "x", "y" } }, context = { drive = { "a", "b" }, gain = "g" },
                 label = "class", classes = 3 },
  state = { "x", "y" },
  params = { f = L.chain { L.dense { 2, 5, "tanh", time = true }, L.dense { 5, 2 } }, g = L.dense { 2, 3 }, damping = 0.1,
             shift = { 0.2, -0.3 } },
  context = function(d) return { drive = d.drive * 2, gain = d.gain[1] } end,
  u0 = function(d, p) return d.u:first() + p.shift end,
  dynamics = function(u, t, p, x) return p.f(u^3 + x.drive) - p.damping*x.gain*p.f(u) end,
  saveat = "data",
  output = function(u, t, p) return { u = u*(1 + t), logits = p.g(u) } end,
  loss = { fit = L.mse { "u", weight = 0.5 }, class = L.cross_entropy { "logits", data = "label", weight = 2 } },
  solver = { method = "bs3", tspan = "data" },
  regularize = { gradient = "total", coefficient = 0.5 },
  train = { optimizer = L.adam { lr = 1e-2 }, batch = "all", steps = 10 },
}
