--- Lotka-Volterra and a running cost: the integral of (x + y)^2 / 2 is a component of the state that starts at 0.
local L = require "lrnde"

return L.ode {
  name = "running_cost",
  state = { "x", "y", "cost" },
  params = { 1.5, 1, 3, 1 },
  u0 = { 1, 1, 0 },
  dynamics = function(u, t, p)
    return { x = p[1]*u.x - p[2]*u.x*u.y, y = -p[3]*u.y + p[4]*u.x*u.y, cost = (u.x + u.y)^2 / 2 }
  end,
  solver = { tspan = { 0, 10 } },
}
