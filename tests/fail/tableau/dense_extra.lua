-- expect: dense.extra_A: error: has 0 rows for 1 stages
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
  dense = { order = 2, extra_c = { 1 }, poly = { { 1, "-1/2" }, { 0, "3/2", -1 }, { 0, -1, 1 } } },
}
