-- expect: order: error: declared 3, but the order conditions hold to 2; at order 3 they leave 0.17
return {
  family = "erk", order = 3,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
}
