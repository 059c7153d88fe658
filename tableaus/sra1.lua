-- Roessler's SRA1.
return {
  family = "sra", order = "3/2", delta = 1,
  c0 = { 0, "3/4" },
  c1 = { 1, 0 },
  A0 = {
    {},
    { "3/4" },
  },
  B0 = {
    {},
    { "3/2" },
  },
  alpha = { "1/3", "2/3" },
  beta1 = { 1, 0 },
  beta2 = { -1, 1 },
  controller = { qmax = "9/8" },
  source = "Roessler, SIAM J. Numer. Anal. 48(3), 2010",
}
