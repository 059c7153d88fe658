-- expect: A[2][2]: error: must be 0: stage 2 of an explicit method uses only earlier ones
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { { 0, 0 }, { "1/2", "1/2" } }, b = { "1/2", "1/2" },
}
