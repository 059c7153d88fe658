-- Heun's method with Euler's embedded: the smallest pair.
return {
  family = "erk", order = 2, embedded_order = 1,
  aliases = { "heun", "heun2", "heun_euler" },
  c = { 0, 1 },
  A = {
    {},
    { 1 },
  },
  b = { "1/2", "1/2" },
  bhat = { 1, 0 },
  source = "Heun, Z. Math. Phys. 45, 1900",
}
