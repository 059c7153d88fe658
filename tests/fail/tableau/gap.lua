-- expect: A[2]: error: must be a list of coefficients, not a nil
return {
  family = "erk", order = 3,
  c = { 0, "1/2", 1 }, A = { {}, nil, { -1, 2 } }, b = { "1/6", "2/3", "1/6" },
}
