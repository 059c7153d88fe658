-- expect: missing_order.lua: missing field 'order'
return {
  family = "erk", embedded_order = 1,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" }, bhat = { 1, 0 },
}
