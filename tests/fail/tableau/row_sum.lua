-- expect: c[3]: error: is 0.7, but that row of A sums to 0.75
return {
  family = "erk", order = 3,
  c = { 0, "1/2", "0.7", 1 },
  A = { {}, { "1/2" }, { 0, "3/4" }, { "2/9", "1/3", "4/9" } },
  b = { "2/9", "1/3", "4/9", 0 },
}
