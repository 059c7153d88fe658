-- expect: 9: error: 'os' is not available in a model file
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    os.execute "true"
    return u
  end,
  solver = { tspan = { 0, 1 } },
}
