--- The `regularize` field: terms that look at one local step, and how that step is chosen.
--
--   regularize = { sampling = "biased", coefficient = 2 }                                  one L.local_error
--   regularize = { L.local_error { coefficient = 2 }, L.local_error { estimate = "stiffness" }, sampling = "biased" }
--
--   regularize = { method = "tsit5" }                       the step is one of that method, from where the solve's own step began
--
-- A plain table is an L.local_error.  All terms look at the same step: what is said of it may stand in the list or in its
-- terms, but must agree.

local contract = require "language.contract"
local header = require "header"
local schedules = require "language.schedules"
local settings = require "language.settings"
local solver = require "language.solver"
local vocabulary = require "language.vocabulary"

local regularization = {}

local MOST_TERMS <const> = header.constant "LRNDE_MAX_TERMS"

-- Of the local step: option -> allowed words, the default first.
local words = {
  sampling = { "biased", "unbiased" },
  points = { "steps", "saveat" },
  step_size = { "accepted", "automatic" },
  gradient = { "partial", "truncated", "total" },
}

local function check_word(m, field, word, allowed)
  for _, known in ipairs(allowed) do if word == known then return word end end
  m:fail(field, "'%s' is none of: %s", word, table.concat(allowed, ", "))
end

--- Takes what `given` says of the local step over into r; `given` may have the `other` fields besides.
local function local_step(m, r, given, field, other)
  local fields = { include_start = "boolean?", method = "string?" }
  for option in pairs(words) do fields[option] = "string?" end
  for option, kind in pairs(other) do fields[option] = kind end
  contract.check(given, fields, m.file, field)
  for _, option in ipairs { "include_start", "method", table.unpack(contract.names(words)) } do
    local said = given[option]
    if said ~= nil then
      if words[option] then check_word(m, field .. "." .. option, said, words[option]) end
      if r[option] ~= nil and r[option] ~= said then
        m:fail(field .. "." .. option, "'%s', but '%s' above: all regularizers look at one local step", said, r[option])
      end
      r[option] = said
    end
  end
end

--- One term: { module, name, options, coefficient }.
local function load_term(m, r, given, field)
  local module = vocabulary.regularizers:get(vocabulary.name(given, "regularizer") or "local_error")
  local other, term = settings.fields(module.options), { module = module, field = field }
  other.coefficient = "number|table?"
  local_step(m, r, given, field, other)
  term.options = settings.complete(module.options, given, function(option, ...) m:fail(field .. "." .. option, ...) end)
  term.coefficient = schedules.of(given.coefficient or 1) or m:fail(field .. ".coefficient", "must be a number or a schedule")
  return term
end

--- The method of the local step if it is not the solve's own, and whether the terms can have what they want of it.
local function load_method(m, r)
  local word, tab = r.method, m.tab
  r.method = word and solver.method(m, "regularize.method", word)
  if r.method and r.method.tab.file == tab.file then r.method = nil end
  if r.method and m.stochastic then m:fail("regularize.method", "a stochastic equation's local step is one of its own method") end
  if r.method and r.method.start then
    m:fail("regularize.method", "%s has no steps before a local one to remember; it begins with %s", word,
           r.method.tab.start.name)
  end
  m.system.past_states = not r.method and tab.past ~= nil and r.step_size == "accepted"
  if m.system.past_states and r.gradient == "truncated" then
    m:fail("regularize.gradient",
           "\"truncated\" holds what a step begins with, and one by %s is made of nothing else: its gradient would be zero", tab.name)
  end
  tab = r.method and r.method.tab or r.step_size == "automatic" and tab.start or tab
  if not tab.err then m:fail("regularize", "%s has no error estimate to regularize", tab.name) end
  for _, term in ipairs(r.terms) do
    local option, why = term.module.missing(tab, term.options)
    if option then m:fail(term.field .. "." .. option, "%s", why) end
  end
end

--- Terms have names of their own: those of the modules, numbered where they repeat.
local function name_terms(terms)
  local count = {}
  for _, term in ipairs(terms) do
    local title = term.module.title(term.options)
    count[title] = (count[title] or 0) + 1
    term.name = count[title] > 1 and title .. "_" .. count[title] or title
  end
end

--- The paper's own warning (section 6.1): what fits a trajectory is not to be bent towards what is cheap.
local function warn_of_trajectories(m)
  if not (m.saveat.from_data or #(m.saveat.list or {}) > 1) then return end
  for _, term in ipairs(m.terms) do
    if term.of_state then
      contract.warn(m.file, "regularize",
                    "the loss looks at the state itself at several times; regularizing is not for learning the true dynamics")
      return
    end
  end
end

--- m: the model as far as it is loaded, which learns what its system must remember.  Returns nil if nothing is regularized, else
-- { terms, sampling, points, ..., method = { tab, stepper } of the local step, nil: the solve's own }.
function regularization.load(m)
  local given = m.spec.regularize
  if not given then return nil end
  if given == true then given = {} end
  local r = { terms = {} }
  if vocabulary.is(given, "regularizer") or #given == 0 then
    r.terms[1] = load_term(m, r, given, "regularize")
  else
    if #given > MOST_TERMS then m:fail("regularize", "at most %d terms", MOST_TERMS) end
    local of_step = {}
    for option, said in pairs(given) do if math.type(option) ~= "integer" then of_step[option] = said end end
    local_step(m, r, of_step, "regularize", {})
    for i, term in ipairs(given) do
      r.terms[i] = load_term(m, r, term, ("regularize[%d]"):format(i))
    end
  end
  name_terms(r.terms)
  warn_of_trajectories(m)
  r.include_start = r.include_start or false
  for option, allowed in pairs(words) do r[option] = r[option] or allowed[1] end
  load_method(m, r)
  return r
end

return regularization
