-- expect: order: error: declared 1.5, but the order conditions hold to strong order 1; beyond it they leave 0.25
return {
  family = "sra", order = "3/2",
  c0 = { 0, "3/4" }, c1 = { "3/4", 0 }, A0 = { {}, { "3/4" } }, B0 = { {}, { "3/2" } }, alpha = { "1/3", "2/3" },
  beta1 = { 1, 0 }, beta2 = { -1, 1 },
}
