-- expect: order: error: declared 3, but the order conditions hold to
return {
  family = "rosenbrock", order = 3, embedded_order = 1,
  gamma = "1/2", c = { 0, 1 }, d = { "1/2", "-1/2" },
  A = { {}, { 2 } }, C = { {}, { -4 } },
  m = { 2, 1 }, err = { 1, 1 },
  dense = { order = 1, H = { { 0, 0 } } },
}
