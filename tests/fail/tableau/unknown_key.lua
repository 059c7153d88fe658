-- expect: embeded_order: error: unknown field; did you mean 'embedded_order'?
return {
  family = "erk", order = 2, embeded_order = 1,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" }, bhat = { 1, 0 },
}
