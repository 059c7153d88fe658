--- The kernels of local regularization: the sums of one step as a record has it, and their reverse.
--
-- A step that was taken has left its stages in the record: carry, next, k.  They are read, not evaluated again; what the
-- reverse needs besides, the insides of the right-hand sides, is recomputed from them.  The sums are those of the step's own
-- scaled error, then those the regularizers add (`local`; a model whose regularizers add none has no such kernel).
--
-- What is held: t, h always; u unless gradient is "total"; k_1 only if it is "truncated".

local kernel = require "kernel"
local value = require "language.value"

local local_step = {}

--- The sums of all terms over a step in k: the step's own if some term reads them, and the list of those added.  Tells
-- each term which it reads: n_sums from first_sum.
local function sums(k, m, step)
  local system, tab, stepper = m.system, m.tab, m.stepper
  local own, added = {}, {}
  for _, term in ipairs(m.regularize.terms) do
    local list = term.module.sums(k, system, tab, stepper, step, k:scalar "h", term.options)
    if list then
      term.first_sum, term.n_sums = #tab.err + #added, #list
      table.move(list, 1, #list, #added + 1, added)
    else
      term.first_sum, term.n_sums = 0, #tab.err
      if #own == 0 then own = stepper.error_sums(k, system, tab, step, k:scalar "h", true) end
    end
  end
  return own, added
end

--- A step from u, and the fields that hold what it computes: k1 = f(t, u) has a derivative unless it is held too.
local function recorded_step(k, m)
  local system, tab, stepper = m.system, m.tab, m.stepper
  local u, t, constants = k:component("carry[0]", system.components[1]), k:scalar "t", stepper.read_constants(k, system)
  local k1 = system.rhs(k, { u }, t, constants)[1]
  if m.regularize.gradient == "truncated" then k1 = value.stop(k1) end
  local step = stepper.step(k, system, tab, { u }, t, k:scalar "h", constants, { k1 })
  return step, stepper.recorded(system, tab, step), u, constants
end

--- Kernels by name.
function local_step.kernels(m)
  local list = {}
  local forward = kernel.new("local", m.params)
  local step, recorded = recorded_step(forward, m)
  local own, added = sums(forward, m, step)
  if #added > 0 then
    m.stepper.put_sums(forward, added)
    forward.graph, forward.rhs_evals = forward.graph:extract(recorded), 0
    list["local"] = forward
  end

  local rev, u, constants, pairs_ = kernel.new("rev_local", m.params), nil, nil, {}
  step, recorded, u, constants = recorded_step(rev, m)
  own, added = sums(rev, m, step)
  local function reverse(parts, q) pairs_[#pairs_ + 1] = { parts[1], rev:scalar(("cot_sums[%d]"):format(q - 1)) } end
  for q, parts in ipairs(own) do reverse(parts, q) end
  for q, parts in ipairs(added) do reverse(parts, #m.tab.err + q) end
  local held = m.regularize.gradient ~= "total"
  if held then rev:output("cot_carry[0]", value.zeros_like(u)) end
  rev:reverse(pairs_, held and {} or { { "cot_carry[0]", u } }, constants)
  rev.graph = rev.graph:extract(recorded)
  list.rev_local = rev
  return list
end

return local_step
