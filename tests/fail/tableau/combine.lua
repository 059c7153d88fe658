-- expect: combine: error: 'hairer53' takes 2 error vectors, not 1
return {
  family = "erk", order = 2, embedded_order = 1,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" }, err = { { "-1/2", "1/2" } }, combine = "hairer53",
}
