-- expect: b[2]: error: '1/0' is not a number, a decimal or a fraction
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/0" },
}
