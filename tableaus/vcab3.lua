-- Adams-Bashforth of order 3 on steps of any lengths: one evaluation a step, for loose tolerances and costly right-hand sides.
return {
  family = "adams", order = 3, embedded_order = 2,
  start = "bs3",
  source = "Krogh, Math. Comp. 28(126), 1974; Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, III.5",
}
