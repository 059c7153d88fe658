--- Stochastic gradient descent with classical momentum: v = momentum v - lr g, p = p + v.

return {
  doc = "gradient descent with momentum",
  options = { lr = 1e-2, momentum = 0.9 },
  slots = 1,
  update = function(o, p, g, slots, lr)
    local v = o.momentum * slots[1] - lr * g
    return p + v, { v }
  end,
}
