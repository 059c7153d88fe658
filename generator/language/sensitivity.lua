--- The `sensitivity` field: which algorithm computes gradients, and its options.
--
--   sensitivity = "discrete"
--   sensitivity = L.discrete { checkpoints = 20 }
--   sensitivity = { "discrete", store = "state" }

local contract = require "language.contract"
local settings = require "language.settings"
local vocabulary = require "language.vocabulary"

local sensitivity = {}

-- What is kept of the forward solution: all steps with their stages, every state, some states, or, if the sweep makes its
-- own u, nothing but the checkpoints it asks for.
local function store(m, module, options)
  local count, word = options.checkpoints, options.store or "stages"
  if word == "state" and count > 0 then m:fail("sensitivity.checkpoints", "store = \"state\" has no checkpoints") end
  if word == "checkpoints" and count == 0 then m:fail("sensitivity.checkpoints", "missing: how many") end
  if count > 0 then return "checkpoints" end
  return module.recordless and "nothing" or word
end

--- Why a model cannot have an algorithm, or nil.
function sensitivity.missing(m, name)
  local module = vocabulary.sensitivities:get(name)
  if m.stochastic and module.adjoint then
    return ("%s is for ordinary differential equations; stochastic ones have \"discrete\""):format(name)
  end
end

--- m: the model as far as it is loaded.  Returns { name, module, options, store }.
function sensitivity.load(m)
  local given = m.spec.sensitivity or "discrete"
  local options = {}
  if type(given) == "table" then
    for option, x in pairs(given) do if option ~= 1 then options[option] = x end end
    if not vocabulary.is(given, "sensitivity") then given = rawget(given, 1) or "discrete" end
  end
  local name = m:word("sensitivity", "sensitivity", vocabulary.sensitivities, given)
  local module = vocabulary.sensitivities:get(name)
  local why = sensitivity.missing(m, name)
  if why then m:fail("sensitivity", "%s", why) end
  contract.check(options, settings.fields(module.options), m.file, "sensitivity")
  options = settings.complete(module.options, options, function(option, ...) m:fail("sensitivity." .. option, ...) end)
  return { name = name, module = module, options = options, store = store(m, module, options) }
end

return sensitivity
