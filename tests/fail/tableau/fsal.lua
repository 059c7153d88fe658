-- expect: fsal: error: declared true, but the last stage is not f(t + h, u1)
return {
  family = "erk", order = 2, fsal = true,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
}
