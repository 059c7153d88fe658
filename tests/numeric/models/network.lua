--- Dynamics that are a network and nothing else: smooth activations, one layer that reads time.
local L = require "lrnde"

return L.ode {
  name = "network",
  u0 = { 0.8, -0.5 },
  dynamics = L.chain { L.dense { 2, 3, "tanh", time = true }, L.dense { 3, 2, "gelu" }, L.dense { 2, 2, "softplus" } },
  solver = { tspan = { 0, 1.5 } },
  regularize = L.option("regularize", false),
}
