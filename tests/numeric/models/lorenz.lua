--- Lorenz's attractor: solutions part by a factor of e every time unit or so, forwards, and faster backwards.
local L = require "lrnde"

return L.ode {
  name = "lorenz",
  state = { "x", "y", "z" },
  params = { 10, 28, 8 / 3 },
  u0 = { 1, 0, 0 },
  dynamics = function(u, t, p)
    return { x = p[1] * (u.y - u.x), y = u.x * (p[2] - u.z) - u.y, z = u.x * u.y - p[3] * u.z }
  end,
  solver = { tspan = { 0, 30 } },
}
