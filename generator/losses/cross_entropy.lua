--- Cross-entropy of logits against a label: log sum exp(z) - z_label, shifted by the largest logit.
--
--   L.cross_entropy { "logits", data = "label" }

local value = require "language.value"

return {
  doc = "log sum exp(z) - z_label; also reports accuracy",
  options = { data = "string?", weight = "number?" },
  default_data = "label",
  needs_label = true,
  per_sample = function(z, label)
    local shift = value.op("rowmax", { z })
    return value.log(value.sum(value.exp(z - shift))) + shift - value.op("pick", { z, label })
  end,
  metric = { name = "accuracy", per_sample = function(z, label) return value.eq(value.op("argmax", { z }), label) end },
}
