-- expect: embedded_order: error: declared 2, but the order conditions hold to 1
return {
  family = "erk", order = 2, embedded_order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" }, bhat = { 1, 0 },
}
