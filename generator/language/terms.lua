--- The fields `loss` and `metrics` of a model: terms, each a loss of one output against one input of the data.  Terms of the
-- loss are minimized, metrics only reported; a loss may bring a metric of its own, as cross-entropy brings accuracy.

local data = require "language.data"
local kernel = require "kernel"
local value = require "language.value"
local vocabulary = require "language.vocabulary"
local contract = require "language.contract"

local terms = {}

-- The outputs by name, as one kernel would have them.
local function probe_outputs(m, probe)
  local outputs, u = {}, probe:array("in[0]", "sample", { m.state })
  for _, o in ipairs(m:outputs(probe, u, probe:scalar "t")) do outputs[o.name] = o.value end
  return outputs
end

local views = { index = true, slice = true, concat = true, pad = true, reshape = true, spread = true }

--- Is v made of the state's own features, and of nothing else?
local function is_state(v)
  local info = value.info(v)
  if info.op == "input" then return info.name == "in[0]" end
  for _, id in ipairs(info.args) do if not is_state(value.wrap(v.g, id)) then return false end end
  return views[info.op] or false
end

--- A term of `field`, checked: { name, module, of, data, weight, of_state (it compares the state itself) }.
local function load_term(m, field, name, term, outputs, probe)
  local word = vocabulary.name(term, "loss")
  if type(term) ~= "table" or not word then m:fail(field .. "." .. name, "must be a loss, such as L.mse { ... }") end
  vocabulary.check_options(term)
  local module, of = vocabulary.losses:get(word), term[1]
  local function refuse(message, ...) m:fail(field, "L.%s: " .. message, word, ...) end
  if type(of) ~= "string" then refuse("its first entry names an output, such as \"u\"") end
  if not outputs[of] then
    local known = contract.names(outputs)
    refuse("there is no output '%s'%s (known: %s)", of, contract.suggestion(of, known), table.concat(known, ", "))
  end
  local target = term.data or module.default_data or of
  local size = value.size(outputs[of])
  local _, input = data.at(m.data, probe, target)
  if not input then
    local known = {}
    for i, x in ipairs(m.data.inputs) do known[i] = x.name end
    refuse("the data have no '%s'%s (known: %s)", target, contract.suggestion(target, known), table.concat(known, ", "))
  end
  if module.needs_label and not input.label then refuse("'%s' is no label", target) end
  if module.needs_label and input.classes ~= size then refuse("'%s' has %d features for %d classes", of, size, input.classes) end
  if not module.needs_label and input.size ~= size then
    refuse("output '%s' has %d features, the data '%s' %d", of, size, target, input.size)
  end
  return { name = name, module = module, of = of, data = target, weight = term.weight or 1, of_state = is_state(outputs[of]) }
end

local function add_metric(m, name, per_sample, term)
  m.metrics[#m.metrics + 1] = { name = name, per_sample = per_sample, of = term.of, data = term.data }
end

--- Sets terms and metrics of m.
function terms.load(m)
  m.terms, m.metrics = {}, {}
  local probe = kernel.new("probe", m.params)
  local outputs = probe_outputs(m, probe)
  local function each(field, visit)
    local given = m.spec[field]
    if not given then return end
    if vocabulary.is(given, "loss") then given = { [vocabulary.name(given, "loss")] = given } end
    for _, name in ipairs(contract.identifiers(field, given)) do visit(load_term(m, field, name, given[name], outputs, probe)) end
  end
  each("loss", function(term)
    m.terms[#m.terms + 1] = term
    if term.module.metric then add_metric(m, term.module.metric.name, term.module.metric.per_sample, term) end
  end)
  each("metrics", function(term) add_metric(m, term.name, term.module.per_sample, term) end)
end

return terms
