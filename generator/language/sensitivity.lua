--- The `sensitivity` field: which algorithm computes gradients, and its options.

local settings = require "language.settings"
local vocabulary = require "language.vocabulary"

local sensitivity = {}

--- m: the model as far as it is loaded.  Returns { name, module, options }.
function sensitivity.load(m)
  local given = m.spec.sensitivity or "discrete"
  local name = m:word("sensitivity", "sensitivity", vocabulary.sensitivities, given)
  vocabulary.check_options(given)
  local module = vocabulary.sensitivities:get(name)
  local options = settings.complete(module.options or {}, type(given) == "table" and given or {}, function(option, ...)
    m:fail("sensitivity." .. option, ...)
  end)
  return { name = name, module = module, options = options }
end

return sensitivity
