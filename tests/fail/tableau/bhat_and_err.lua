-- expect: err: error: given beside 'bhat'; one of them determines the error estimate
return {
  family = "erk", order = 2, embedded_order = 1,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" }, bhat = { 1, 0 }, err = { { "-1/2", "1/2" } },
}
