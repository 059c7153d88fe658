-- The classical Runge-Kutta method.
return {
  family = "erk", order = 4,
  aliases = { "classical_rk4" },
  c = { 0, "1/2", "1/2", 1 },
  A = {
    {},
    { "1/2" },
    { 0, "1/2" },
    { 0, 0, 1 },
  },
  b = { "1/6", "1/3", "1/3", "1/6" },
  source = "Kutta, Z. Math. Phys. 46, 1901",
}
