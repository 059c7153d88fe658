-- expect: 3: error: stack overflow
local L = require "lrnde"
local function grow(n) return 1 + grow(n + 1) end
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    return { x = grow(0), y = 0 }
  end,
  solver = { tspan = { 0, 1 } },
}
