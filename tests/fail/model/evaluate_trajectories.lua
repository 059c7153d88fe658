-- expect: train.evaluate_trajectories: error: the model is not stochastic
local L = require "lrnde"
return L.ode {
  name = "fails",
  data = L.csv { "points.csv", x = { "a", "b" }, label = "class", classes = 3 },
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = function(d) return d.x end,
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  output = { logits = L.dense { 2, 3 } },
  loss = L.cross_entropy { "logits" },
  solver = { tspan = { 0, 1 } },
  train = { optimizer = "adam", evaluate_trajectories = 10 },
}
