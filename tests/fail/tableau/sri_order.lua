-- expect: order: error: declared 1.5, but the order conditions hold to strong order 0.5; beyond it they leave 1
return {
  family = "sri", order = "3/2",
  c0 = { 0 }, c1 = { 0 }, A0 = { {} }, B0 = { {} }, alpha = { 1 }, beta1 = { 1 },
}
