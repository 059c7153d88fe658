--- Prothero & Robinson's problem, as stiff as -lambda, whatever that is: u = sin t.
local L = require "lrnde"

return L.ode {
  name = "prothero_robinson", params = { -1e6 }, u0 = { 0 },
  dynamics = function(u, t, p) return { p[1]*(u[1] - L.sin(t)) + L.cos(t) } end,
  solver = { method = "rodas5", tspan = { 0, 1 } },
}
