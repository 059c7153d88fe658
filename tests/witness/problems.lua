--- Initial value problems with known solutions.  Digits: arbitrary precision arithmetic, good to all that are given.

local e = math.exp

return {
  {
    name = "linear", model = "tests/numeric/models/linear.lua", params = { 1.01 }, u0 = { 0.5 },
    ends = { { t = 1, u = { 0.5 * e(1.01) } } },
  },
  {
    name = "linear from 1", model = "tests/numeric/models/linear.lua", params = { 0.98 }, u0 = { 1 },
    ends = { { t = 1, u = { e(0.98) } } },
  },
  {
    name = "nonaut", model = "tests/numeric/models/nonaut.lua",
    ends = { { t = 2, u = { 0.41388213037129649982 } } },
  },
  {
    name = "Lotka-Volterra", model = "models/lotka_volterra.lua",
    ends = {
      { t = 1, u = { 2.7728509018411121191, 0.25871087814256395390 } },
      { t = 10, u = { 1.0263447675750893191, 0.90969107813604161755 } },
    },
    -- of u[1] + u[2] at t = 10, by forward sensitivity equations
    gradient = {
      params = { -4.0962129936581979658, -0.50940881191129917499, -1.1458348864297371063, -1.8043278687671012968 },
      u0 = { -0.77798310119201197764, 0.40028226622474244256 },
    },
  },
  {
    name = "van der Pol", model = "models/van_der_pol.lua",
    ends = {
      { t = 1, u = { 1.5081442369756089432, -0.78021807462969490624 } },
      { t = 10, u = { -2.0083407825797123328, 0.032907065863324064431 } },
      { t = 20, u = { 2.0081497621749485920, -0.042508875273201 } },
    },
  },
}
