-- expect: dense.order: error: declared 3, but the order conditions hold to 2
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
  dense = { order = 3, poly = { { 1, "-1/2" }, { 0, "1/2" } } },
}
