-- expect: order: error: must be of type integer, not string
return {
  family = "erk", order = "2",
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
}
