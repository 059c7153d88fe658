--- Dynamics known in part: an oscillator whose damping is a parameter and whose force is a network of state and time.
local L = require "lrnde"

return L.ode {
  name = "mixed",
  state = { "x", "v" },
  params = { damping = 0.3, force = L.chain { L.dense { 2, 3, "sigmoid", time = true }, L.dense { 3, 1 } } },
  u0 = { 1, 0.2 },
  dynamics = function(u, t, p)
    return { x = u.v, v = p.force { u.x, u.v }[1] - p.damping * u.v * u.x^2 - L.sin(u.x) }
  end,
  solver = { tspan = { 0, 1.5 } },
  regularize = L.option("regularize", false),
}
