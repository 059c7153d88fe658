-- expect: b[1]: error: 'one half' is not a number, a decimal or a fraction
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "one half", "1/2" },
}
