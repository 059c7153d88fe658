--- The kernels of local regularization: the sums of one step as a record has it, and their reverse.
--
-- A step that was taken has left its stages in the record: carry, next, k.  They are read, not evaluated again; what the
-- reverse needs besides, the insides of the right-hand sides, is recomputed from them.  The sums are those of the step's own
-- scaled error, then those the regularizers add (`local`; a model whose regularizers add none has no such kernel).
--
-- Where the sweep passes that very step with a tape, both reverses are one kernel (rev_step_local): they share the tape and,
-- parameter gradients being linear, the outer products.
--
-- What is held: t, h always; u unless gradient is "total"; k_1 only if it is "truncated".

local derive = require "derive"
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

--- The sums with their cotangents, as derive.vjp wants them.
local function sum_pairs(k, m, step)
  local own, added = sums(k, m, step)
  local list = {}
  local function add(parts, q) list[#list + 1] = { parts[1], k:scalar(("cot_sums[%d]"):format(q - 1)) } end
  for q, parts in ipairs(own) do add(parts, q) end
  for q, parts in ipairs(added) do add(parts, #m.tab.err + q) end
  return list
end

local function forward(m)
  local k = kernel.new("local", m.params)
  local step, recorded = recorded_step(k, m)
  local _, added = sums(k, m, step)
  if #added == 0 then return nil end
  m.stepper.put_sums(k, added)
  k.graph, k.rhs_evals = k.graph:extract(recorded), 0
  return k
end

local function reverse(m)
  local k, held = kernel.new("rev_local", m.params), m.regularize.gradient ~= "total"
  local step, recorded, u, constants = recorded_step(k, m)
  local pairs_ = sum_pairs(k, m, step)
  if held then k:output("cot_carry[0]", value.zeros_like(u)) end
  k:reverse(pairs_, held and {} or { { "cot_carry[0]", u } }, constants)
  k.graph = k.graph:extract(recorded)
  return k
end

local function add(a, b) return a and b and a + b or a or b end

--- Ends a reverse kernel over a carried step: the cotangents of the carry are those of `solution` alone, the sources get
-- those of `all`.  k1 is cut off the step: what reaches it from the sums goes on to f(t, u), unless it is held; what
-- reaches it from the solution goes on as well if the step computed it, else to the carry.
local function reverse_apart(k, m, step, solution, all)
  local system, stepper, fsal = m.system, m.stepper, m.tab.fsal
  local u, k1, constants = step.u[1], step.k[1][1], stepper.read_constants(k, system)
  local f = k1
  if fsal then f = system.rhs(k, { u }, k:scalar "t", constants)[1] end
  local to_u, to_k1 = table.unpack(derive.vjp(solution, { u, k1 }), 1, 2)
  local sources, fields = k:sources(constants)
  local cot = derive.vjp(all, { k1, table.unpack(sources) })
  local onward = fsal and cot[1] - to_k1 or cot[1]
  if m.regularize.gradient == "truncated" then onward = not fsal and to_k1 or nil end
  local more = onward and derive.vjp({ { f, onward } }, sources) or {}
  for i, field in ipairs(fields) do
    local c = add(cot[1 + i], more[i])
    if c then k:accumulate(field, c) end
  end
  if fsal then k:output("cot_carry[1]", to_k1) else to_u = add(to_u, derive.vjp({ { k1, to_k1 } }, { u })[1]) end
  k:output("cot_carry[0]", to_u)
end

local function reverse_with_step(m, tape)
  local k, system, tab, stepper = kernel.new("rev_step_local", m.params), m.system, m.tab, m.stepper
  local step = stepper.carried_step(k, system, tab)
  local solution, targets = {}, {}
  for i, component in ipairs(stepper.carry_components(system, tab)) do
    solution[i] = { step.next[i], k:component(("cot_next[%d]"):format(i - 1), component) }
    targets[i] = { ("cot_carry[%d]"):format(i - 1), step.carry[i] }
  end
  local all = sum_pairs(k, m, step)
  table.move(solution, 1, #solution, #all + 1, all)
  if m.regularize.gradient == "total" then
    k:reverse(all, targets, stepper.read_constants(k, system))
  else
    reverse_apart(k, m, step, solution, all)
  end
  return tape:read(k, stepper.recorded(system, tab, step))
end

--- What --check differentiates: builds the step in k, returns the variables that are not held, and the sums.
function local_step.sums(k, m)
  local step, _, u, constants = recorded_step(k, m)
  local own, added = sums(k, m, step)
  local variables, list = k:sources(constants), {}
  if m.regularize.gradient == "total" then table.insert(variables, 1, u) end
  for _, parts in ipairs(table.move(added, 1, #added, #own + 1, own)) do list[#list + 1] = parts[1] end
  return variables, list
end

--- Kernels by name.  tape: of the discrete sweep, or nil.
function local_step.kernels(m, tape)
  return { ["local"] = forward(m), rev_local = reverse(m), rev_step_local = tape and reverse_with_step(m, tape) }
end

return local_step
