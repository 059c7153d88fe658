-- The explicit midpoint rule.
return {
  family = "erk", order = 2,
  aliases = { "modified_euler" },
  c = { 0, "1/2" },
  A = {
    {},
    { "1/2" },
  },
  b = { 0, 1 },
  source = "Runge, Math. Ann. 46, 1895",
}
