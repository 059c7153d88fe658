-- expect: dense.poly[2]: error: sums to 0.25; at theta = 1 it must give b[2] = 0.5
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
  dense = { order = 2, poly = { { 1, "-1/2" }, { 0, "1/4" } } },
}
