-- expect: 3: error: only require "lrnde" is available in a model file, not 'socket'
local L = require "lrnde"
local socket = require "socket"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p) return { x = -p.rate*u.x, y = u.x } end,
  solver = { tspan = { 0, 1 } },
}
