-- expect: c1[2]: error: is 1/3, but that row of A sums to 0.25
return {
  family = "sri", order = "1/2",
  c0 = { 0, 0 }, c1 = { 0, "1/3" }, A0 = { {}, { 0 } }, A1 = { {}, { "1/4" } }, B0 = { {}, { 0 } }, alpha = { 1, 0 }, beta1 = { 1, 0 },
}
