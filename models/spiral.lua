--- A small neural ODE fitted to spirals.  They are in models/spiral.csv, written by
--    lrnde-solve models/spiral_truth.lua --saveat 0.05 --input models/spiral_starts.csv --output models/spiral.csv
local L = require "lrnde"

return L.ode {
  name = "spiral", precision = "f32",
  data = L.csv { "spiral.csv", id = "sample", t = "t", series = { u = { "x", "y" } } },
  state = { "x", "y" },
  params = { f = L.chain { L.dense { 2, 50, "tanh" }, L.dense { 50, 2 } } },
  u0 = function(d) return d.u:first() end,
  dynamics = function(u, t, p) return p.f(u^3) end,
  saveat = "data", output = function(u) return { u = u } end, loss = L.mse { "u" },
  solver = { method = "tsit5", atol = 1e-6, rtol = 1e-6, tspan = "data" },
  sensitivity = "discrete",
  train = { optimizer = L.adam { lr = 1e-2 }, batch = "all", steps = 3000 },
}
