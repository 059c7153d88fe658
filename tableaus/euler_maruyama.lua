-- Euler-Maruyama.
return {
  family = "sri", order = "1/2",
  aliases = { "em" },
  c0 = { 0 },
  c1 = { 0 },
  A0 = {
    {},
  },
  B0 = {
    {},
  },
  alpha = { 1 },
  beta1 = { 1 },
  source = "Maruyama, Rend. Circ. Mat. Palermo 4, 1955",
}
