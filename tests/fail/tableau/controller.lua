-- expect: controller.gamma: error: is 9; must lie in (0, 1]
return {
  family = "erk", order = 2, embedded_order = 1,
  c = { 0, 1 }, A = { {}, { 1 } }, b = { "1/2", "1/2" }, bhat = { 1, 0 },
  controller = { gamma = 9 },
}
