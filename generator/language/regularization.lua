--- The `regularize` field: options of local regularization, their defaults and what excludes what.

local contract = require "language.contract"
local schedules = require "language.schedules"
local vocabulary = require "language.vocabulary"

local regularization = {}

-- option -> allowed words, the default first
local words = {
  estimate = { "error", "stiffness" },
  sampling = { "biased", "unbiased" },
  points = { "steps", "saveat" },
  step_size = { "accepted", "automatic" },
  gradient = { "partial", "truncated", "total" },
  scale = { "tolerance", "none" },
}

--- m: the model as far as it is loaded.  Returns nil if nothing is regularized.
function regularization.load(m)
  local given = m.spec.regularize
  if not given then return nil end
  if given == true then given = {} end
  if not vocabulary.is(given, "regularizer") and #given > 0 then
    if #given > 1 then m:fail("regularize", "only one local regularizer a model for now") end
    given = given[1]
  end
  if not m.tab.err then m:fail("regularize", "%s has no error estimate to regularize", m.tab.name) end
  local fields = { coefficient = "number|table?", include_start = "boolean?" }
  for option in pairs(words) do fields[option] = "string?" end
  contract.check(given, fields, m.file, "regularize")
  local module = vocabulary.regularizers:get(vocabulary.name(given, "regularizer") or "local_error")
  local r = { module = module, include_start = given.include_start or false }
  for option, allowed in pairs(words) do
    r[option] = given[option] or allowed[1]
    local known = false
    for _, word in ipairs(allowed) do known = known or word == r[option] end
    if not known then m:fail("regularize." .. option, "'%s' is none of: %s", r[option], table.concat(allowed, ", ")) end
  end
  r.coefficient = schedules.of(given.coefficient or 1) or m:fail("regularize.coefficient", "must be a number or a schedule")
  if r.estimate == "stiffness" and not m.tab.stiffness_pair then
    m:fail("regularize.estimate", "%s has no two stages at c = 1 to estimate stiffness from", m.tab.name)
  end
  return r
end

return regularization
