-- expect: d[2]: error: is 0.1, but that row of Gamma sums to -0.5
return {
  family = "rosenbrock", order = 2, embedded_order = 1,
  gamma = "1/2", c = { 0, 1 }, d = { "1/2", "0.1" },
  A = { {}, { 2 } }, C = { {}, { -4 } },
  m = { 2, 1 }, err = { 1, 1 },
  dense = { order = 1, H = { { 0, 0 } } },
}
