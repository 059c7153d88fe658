-- expect: 11: error: a value kept from another call; a function is traced anew each time
local L = require "lrnde"
local kept
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    kept = kept or u
    return u + kept
  end,
  solver = { tspan = { 0, 1 } },
}
