-- Euler's method.
return {
  family = "erk", order = 1,
  aliases = { "forward_euler" },
  c = { 0 },
  A = {
    {},
  },
  b = { 1 },
  source = "Euler, Institutionum calculi integralis I, 1768",
}
