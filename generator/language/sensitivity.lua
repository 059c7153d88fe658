--- The `sensitivity` field: which algorithm computes gradients, and its options.

local settings = require "language.settings"
local vocabulary = require "language.vocabulary"

local sensitivity = {}

-- What is kept of the forward solution: all stages, every state, or so many states, checkpoints.
local function storage(m, options)
  local store, checkpoints = options.store or "stages", options.checkpoints or 0
  if checkpoints > 0 and store == "state" then m:fail("sensitivity.checkpoints", "store = \"state\" has none") end
  if checkpoints == 0 and store == "checkpoints" then m:fail("sensitivity.checkpoints", "missing: how many") end
  return checkpoints > 0 and "checkpoints" or store, checkpoints
end

--- m: the model as far as it is loaded.  Returns { name, module, options, store, checkpoints }.
function sensitivity.load(m)
  local given = m.spec.sensitivity or "discrete"
  local name = m:word("sensitivity", "sensitivity", vocabulary.sensitivities, given)
  vocabulary.check_options(given)
  local module = vocabulary.sensitivities:get(name)
  local options = settings.complete(module.options or {}, type(given) == "table" and given or {}, function(option, ...)
    m:fail("sensitivity." .. option, ...)
  end)
  local store, checkpoints = storage(m, options)
  return { name = name, module = module, options = options, store = store, checkpoints = checkpoints }
end

return sensitivity
