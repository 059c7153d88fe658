--- Van der Pol's oscillator x'' = mu (1 - x^2) x' - x; --params MU makes it as stiff as you like.
local L = require "lrnde"

return L.ode {
  name = "van_der_pol", precision = "f64",
  state = { "x", "v" },
  params = { mu = 1 },
  u0 = { 2, 0 },
  dynamics = function(u, t, p)
    return { x = u.v, v = p.mu*(1 - u.x^2)*u.v - u.x }
  end,
  solver = { method = "tsit5", atol = 1e-8, rtol = 1e-8, tspan = { 0, 20 } },
}
