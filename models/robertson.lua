--- Robertson's chemical reactions, stiff over eleven decades of time (the paper's figure 2).
local L = require "lrnde"

return L.ode {
  name = "robertson", precision = "f64",
  params = { 0.04, 3e7, 1e4 }, u0 = { 1, 0, 0 },
  dynamics = function(u, t, p)
    local a, b, c = p[1] * u[1], p[2] * u[2]^2, p[3] * u[2] * u[3]
    return { c - a, a - c - b, b }
  end,
  solver = { method = "rodas5", atol = 1e-6, rtol = 1e-6, tspan = { 0, 1e5 } },
}
