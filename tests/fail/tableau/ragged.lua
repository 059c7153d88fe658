-- expect: A[3]: error: has 1 entries; stage 3 has 2, or 3 with the zeros
return {
  family = "erk", order = 3,
  c = { 0, "1/2", 1 }, A = { {}, { "1/2" }, { 1 } }, b = { "1/6", "2/3", "1/6" },
}
