--- AdaMax (Kingma, Ba 2015, section 7.1): Adam with the infinity norm.

local value = require "language.value"

return {
  doc = "AdaMax: m running mean of g, u decaying maximum of |g|",
  options = { lr = 2e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 2.0 ^ -23 },
  slots = 2,
  update = function(o, p, g, slots, lr, step)
    local m = o.beta1 * slots[1] + (1 - o.beta1) * g
    local u = value.max(o.beta2 * slots[2], value.abs(g))
    return p - lr / (1 - value.pow(o.beta1, step)) * m / (u + o.epsilon), { m, u }
  end,
}
