-- expect: b: error: has 3 entries, not 2
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2", 0 },
}
