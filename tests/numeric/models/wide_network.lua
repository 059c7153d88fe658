--- A network of as many features as make a large system of equations (templates/c/kernel.lua).
local L = require "lrnde"

local u0 = {}
for i = 1, 40 do u0[i] = 1 / i end
local f = L.chain { L.dense { 40, 20, "tanh" }, L.dense { 20, 40 } }

return L.ode {
  name = "wide_network", precision = "f64", u0 = u0, params = { f = f },
  dynamics = function(u, t, p) return p.f(u) - 5 * u end,
  solver = { tspan = { 0, 1 } },
}
