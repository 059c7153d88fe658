--- Mean squared error over features, samples and save times.
--
--   L.mse { "u", data = "u" }

local value = require "language.value"

return {
  doc = "mean over features of (y - data)^2",
  options = { data = "string?", weight = "number?" },
  needs_label = false,
  per_sample = function(y, data)
    local d = y - data
    return value.sum(d * d) * (1 / value.size(y))
  end,
}
