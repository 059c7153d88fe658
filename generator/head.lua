--- The kernels of a model beside its systems: start, outputs and loss, their reverses, and the optimizer's update.

local data = require "language.data"
local kernel = require "kernel"
local value = require "language.value"

local head = {}

local function put(k, field, values)
  for i, v in ipairs(values) do k:output(("%s[%d]"):format(field, i - 1), v) end
end

--- Loss terms and metrics of the outputs at one save time.  Sums carry `weight`, so that they are means.
local function evaluate(k, m, outputs)
  local weight, by_name = k:scalar "weight", {}
  for _, o in ipairs(outputs) do by_name[o.name] = o.value end
  local function mean(term, per_sample)
    return value.batch_sum(value.spread(per_sample(by_name[term.of], (data.at(m.data, k, term.data)))) * weight)
  end
  local terms, metrics = {}, {}
  for i, term in ipairs(m.terms) do terms[i] = mean(term, term.module.per_sample) end
  for i, metric in ipairs(m.metrics) do metrics[i] = mean(metric, metric.per_sample) end
  return terms, metrics
end

--- Outputs of the state at one save time.
local function outputs_of_state(k, m)
  local u = k:array("in[0]", "sample", { m.state })
  return m:outputs(k, u, k:scalar "t"), u
end

--- Writes outputs and what is said of them.
local function report(k, m, outputs)
  local terms, metrics = evaluate(k, m, outputs)
  for i, o in ipairs(outputs) do k:output(("out[%d]"):format(i - 1), o.value) end
  for i, v in ipairs(terms) do k:accumulate(("sums[%d]"):format(i - 1), v) end
  for i, v in ipairs(metrics) do k:accumulate(("sums[%d]"):format(#terms + i - 1), v) end
end

--- The kernels, by name (those a model has no use for are missing), and the outputs { {name, size}.. }.
function head.kernels(m)
  local list = {}
  local function new(name)
    list[name] = kernel.new(name, m.params)
    return list[name]
  end

  local starts = type(m.spec.u0) == "function" or m.spec.context
  if starts then
    local init = new "init"
    put(init, "out", m:start(init))

    local rev = kernel.new("rev_init", m.params)
    local pairs_, targets = {}, {}
    for i, v in ipairs(m:start(rev)) do
      pairs_[i] = { v, rev:array(("in[%d]"):format(i - 1), "sample", { value.size(v) }) }
    end
    for i, input in ipairs(m.data.inputs) do
      if not input.label then
        targets[#targets + 1] = { ("out[%d]"):format(i - 1), rev:array(("data[%d]"):format(i - 1), "sample", { input.size }) }
      end
    end
    if #targets + #rev:leaves() > 0 then                              -- else the start is the same whatever is given
      rev:reverse(pairs_, targets)
      list.rev_init = rev
    end
  end

  local k = new "head"
  local outputs = outputs_of_state(k, m)
  report(k, m, outputs)
  local shapes = {}
  for i, o in ipairs(outputs) do shapes[i] = { name = o.name, size = value.size(o.value) } end

  if #m.terms > 0 and m.stochastic then
    local ensemble, means = new "ensemble", {}
    for i, o in ipairs(shapes) do
      local sum = ensemble:array(("in[%d]"):format(i - 1), "sample", { o.size })
      means[i] = { name = o.name, value = sum * ensemble:scalar "share" }
    end
    report(ensemble, m, means)
  end

  if #m.terms > 0 then
    local rev = new "rev_head"
    local state_outputs, u = outputs_of_state(rev, m)
    local pairs_ = {}
    for i, v in ipairs((evaluate(rev, m, state_outputs))) do pairs_[i] = { v, rev:const(m.terms[i].weight) } end
    rev:reverse(pairs_, { { "out[0]", u } })
  end

  local rev = new "rev_output"
  local state_outputs, u = outputs_of_state(rev, m)
  local pairs_ = {}
  for i, o in ipairs(state_outputs) do
    pairs_[i] = { o.value, rev:array(("in[%d]"):format(i), "sample", { value.size(o.value) }) }
  end
  rev:reverse(pairs_, { { "out[0]", u } })

  if m.train then
    local update, n = new "update", m.params.size
    local module, slots = m.train.module, {}
    for i = 1, module.slots do slots[i] = update:array(("in[%d]"):format(i - 1), "shared", { n }) end
    local p, new_slots = module.update(m.train.options, update:array("params", "shared", { n }),
                                       update:array("grad", "shared", { n }), slots, update:scalar "lr", update:scalar "step")
    put(update, "out", { p, table.unpack(new_slots) })
  end
  return list, shapes
end

return head
