-- expect: 10: error: needs more than 256 MiB of memory
local L = require "lrnde"
return L.ode {
  name = "fails",
  params = { rate = 0.5 },
  state = { "x", "y" },
  u0 = { 1, 2 },
  dynamics = function(u, t, p)
    local s = "x"
    while true do s = s .. s end
  end,
  solver = { tspan = { 0, 1 } },
}
