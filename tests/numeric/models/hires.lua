--- High irradiance response: eight chemical species (Schaefer 1975; Hairer & Wanner, IV.10).
local L = require "lrnde"

return L.ode {
  name = "hires", u0 = { 1, 0, 0, 0, 0, 0, 0, 0.0057 },
  dynamics = function(u)
    local bound = 280*u[6]*u[8]
    return {
      -1.71*u[1] + 0.43*u[2] + 8.32*u[3] + 0.0007,
      1.71*u[1] - 8.75*u[2],
      -10.03*u[3] + 0.43*u[4] + 0.035*u[5],
      8.32*u[2] + 1.71*u[3] - 1.12*u[4],
      -1.745*u[5] + 0.43*u[6] + 0.43*u[7],
      -bound + 0.69*u[4] + 1.71*u[5] - 0.43*u[6] + 0.69*u[7],
      bound - 1.81*u[7],
      -bound + 1.81*u[7],
    }
  end,
  solver = { method = "rodas5", tspan = { 0, 321.8122 } },
}
