-- expect: order: error: declared 1, but the order conditions hold to 2
return {
  family = "erk", order = 1,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
}
