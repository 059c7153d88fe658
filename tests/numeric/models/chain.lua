--- A chain of coupled oscillators, as long as wanted: for what grows with the size of the state.
local L = require "lrnde"
local size = L.option("size", 4)

local u0 = {}
for i = 1, size do u0[i] = math.cos(i) end

return L.ode {
  name = "chain",
  params = { stiffness = 1.5, drag = 0.1 },
  u0 = u0,
  dynamics = function(u, t, p) return -p.drag * u + p.stiffness * L.sin(3 * t) * L.cos(u) end,
  solver = { tspan = { 0, 10 } },
  regularize = L.option("regularize", false),
}
