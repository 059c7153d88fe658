--- The Belousov-Zhabotinskii reaction (Field & Noyes 1974; Hairer & Wanner, IV.10).
local L = require "lrnde"

return L.ode {
  name = "oregonator", u0 = { 1, 2, 3 },
  dynamics = function(u)
    return { 77.27*(u[2] + u[1]*(1 - 8.375e-6*u[1] - u[2])), (u[3] - (1 + u[1])*u[2])/77.27, 0.161*(u[1] - u[3]) }
  end,
  solver = { method = "rodas5", tspan = { 0, 360 } },
}
