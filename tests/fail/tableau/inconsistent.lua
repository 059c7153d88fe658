-- expect: order: error: declared 2, but the order conditions hold to 0
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/3" },
}
