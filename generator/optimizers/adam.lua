--- Adam (Kingma, Ba 2015) with bias correction; epsilon is added outside the square root, its default that of Float32.

local value = require "language.value"

return {
  doc = "Adam: m, v running means of g and g^2",
  options = { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 2.0 ^ -23 },
  slots = 2,
  update = function(o, p, g, slots, lr, step)
    local m = o.beta1 * slots[1] + (1 - o.beta1) * g
    local v = o.beta2 * slots[2] + (1 - o.beta2) * g * g
    local rate = lr / (1 - value.pow(o.beta1, step))
    return p - rate * m / (value.sqrt(v * (1 / (1 - value.pow(o.beta2, step)))) + o.epsilon), { m, v }
  end,
}
