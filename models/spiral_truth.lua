--- The spiral that models/spiral.csv holds: u' = A u^3 with A = (-0.1, 2; -2, -0.1), as in Chen et al. 2018.
local L = require "lrnde"

return L.ode {
  name = "spiral_truth", precision = "f64",
  state = { "x", "y" },
  params = { decay = 0.1, turn = 2 },
  u0 = { 2, 0 },
  dynamics = function(u, t, p)
    return { x = -p.decay*u.x^3 + p.turn*u.y^3, y = -p.turn*u.x^3 - p.decay*u.y^3 }
  end,
  solver = { method = "dop853", atol = 1e-10, rtol = 1e-10, tspan = { 0, 1.5 } },
}
