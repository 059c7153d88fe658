--- The Pleiades: seven stars in a plane that attract each other, star i of mass i, and nearly meet (Hairer, Norsett & Wanner I,
--- II.10).
local L = require "lrnde"

local STARS <const> = 7

return L.ode {
  name = "pleiades", precision = "f64",
  u0 = { 3, 3, -1, -3, 2, -2, 2,   3, -3, 2, 0, 0, -4, 4,   0, 0, 0, 0, 0, 1.75, -1.5,   0, 0, 0, -1.25, 1, 0, 0 },
  dynamics = function(u)
    local du = {}
    for i = 1, 2 * STARS do du[i], du[2 * STARS + i] = u[2 * STARS + i], 0 end
    for i = 1, STARS do
      for j = i + 1, STARS do
        local x, y = u[j] - u[i], u[STARS + j] - u[STARS + i]
        local r2 = x * x + y * y
        local pull = 1 / (r2 * L.sqrt(r2))
        for axis, d in ipairs { x, y } do
          local a = (axis + 1) * STARS
          du[a + i], du[a + j] = du[a + i] + j * pull * d, du[a + j] - i * pull * d
        end
      end
    end
    return du
  end,
  solver = { method = "dop853", atol = 1e-10, rtol = 1e-10, tspan = { 0, 3 } },
}
