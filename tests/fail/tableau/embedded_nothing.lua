-- expect: embedded_order: error: declared, but there is no error estimate ('bhat' or 'err')
return {
  family = "erk", order = 2, embedded_order = 1,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" },
}
