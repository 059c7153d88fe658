-- expect: missing_embedded_order.lua: missing field 'embedded_order'
return {
  family = "erk", order = 2,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" }, bhat = { 1, 0 },
}
