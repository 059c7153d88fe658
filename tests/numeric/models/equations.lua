--- Dynamics that are formulas: products, quotients, powers and elementary functions, with named states and parameters.
local L = require "lrnde"

return L.ode {
  name = "equations",
  state = { "x", "y", "z" },
  params = { growth = 1.2, hunger = { 0.9, 0.4 }, season = 0.7 },
  u0 = { 1.1, 0.6, 0.9 },
  dynamics = function(u, t, p)
    local eaten = p.hunger[1] * u.x * u.y / (1 + p.hunger[2] * u.x^2)
    return {
      x = p.growth * u.x * (1 + 0.3 * L.sin(p.season * t)) - eaten,
      y = eaten * L.exp(-0.2 * u.z) - 0.5 * L.sqrt(1 + u.y^2),
      z = L.cos(u.x) - u.z * L.log(2 + u.y^2) / (1 + t),
    }
  end,
  solver = { tspan = { 0, 1.5 } },
  regularize = L.option("regularize", false),
}
