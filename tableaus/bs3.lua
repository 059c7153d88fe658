-- Bogacki & Shampine's 3(2) pair: cheap steps for loose tolerances.
return {
  family = "erk", order = 3, embedded_order = 2,
  aliases = { "bosh3", "bogacki_shampine", "rk23", "ode23" },
  c = { 0, "1/2", "3/4", 1 },
  A = {
    {},
    { "1/2" },
    { 0, "3/4" },
    { "2/9", "1/3", "4/9" },
  },
  b = { "2/9", "1/3", "4/9", 0 },
  bhat = { "7/24", "1/4", "1/3", "1/8" },
  source = "Bogacki & Shampine, Appl. Math. Lett. 2(4), 1989",
}
