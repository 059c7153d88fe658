--- Runs of a system fitted at several times, each run with constants of its own; u0, dynamics and output have parameters.
local L = require "lrnde"

return L.ode {
  name = "fitted",
  data = L.csv { "fitted.csv", id = "run", t = "t", series = { u = { "x", "y" } }, context = { drive = { "a", "b" }, gain = "g" } },
  state = { "x", "y" },
  params = { f = L.chain { L.dense { 2, 3, "tanh" }, L.dense { 3, 2 } }, damping = 0.4, scale = 1.1, shift = { 0.1, -0.2 } },
  context = function(d) return { drive = d.drive, gain = d.gain } end,
  u0 = function(d, p) return d.u:first() + p.shift end,
  dynamics = function(u, t, p, x)
    local f = p.f { u.x * x.gain, u.y }
    return { x = f[1] + x.drive[1] * L.cos(t), y = f[2] + x.drive[2] - p.damping * u.y * x.gain }
  end,
  saveat = "data",
  output = function(u, t, p) return { u = u * p.scale } end,
  loss = L.mse { "u" },
  solver = { method = L.option("method", "tsit5"), atol = 1e-3, rtol = 1e-3, tspan = "data" },
  regularize = L.option("regularize", false),
  train = { optimizer = L.sgd { lr = 2^-30, momentum = 0 }, batch = "all", steps = 1 },
}
