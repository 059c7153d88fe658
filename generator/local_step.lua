--- The kernels of local regularization: the sums of one step as a record has it, and their reverse.
--
-- A step that was taken has left its stages in the record: carry, next, k.  They are read, not evaluated again; what the
-- reverse needs besides, the insides of the right-hand sides, is recomputed from them.  The sums are those of the step's own
-- scaled error, then those the regularizers add (`local`; a model whose regularizers add none has no such kernel).
--
-- Where the sweep passes that very step with a tape, both reverses are one kernel (rev_step_local): they share the tape and,
-- parameter gradients being linear, the outer products.
--
-- What is held: t, h always; u, and the states that a method remembers, unless gradient is "total"; k_1 only if it is "truncated".

local derive = require "derive"
local kernel = require "kernel"
local value = require "language.value"

local local_step = {}

--- The sums of all terms over a step in k: the step's own if some term reads them, and the list of those added.  Tells
-- each term which it reads: n_sums from first_sum.  s: the system by the method of the step.
local function sums(k, m, s, step)
  local system, tab, stepper = s.system, s.tab, s.stepper
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

--- The derivatives in the carry as functions of the states they were taken at, k_1 first: { value, field, u, field of u }..
local function derivatives(k, s)
  local system, t, constants, list = s.system, k:scalar "t", s.stepper.read_constants(k, s.system), {}
  local past = system.past_states and s.tab.past or 0
  for i = 0, past do
    if i > 0 then t = t - k:scalar("h_" .. i) end
    local at = i == 0 and 0 or 1 + past + i
    local u = k:component(("carry[%d]"):format(at), system.components[1])
    list[1 + i] = { system.rhs(k, { u }, t, constants)[1], ("carry[%d]"):format(1 + i), u, at }
  end
  return list
end

--- A step from u, the fields that hold what it computes, and the derivatives it is made of: k1 = f(t, u) has a derivative unless
-- it is held too; and so have those that a method remembers of the steps before.
local function recorded_step(k, m, s)
  local system, tab, stepper = s.system, s.tab, s.stepper
  local u, t, constants = k:component("carry[0]", system.components[1]), k:scalar "t", stepper.read_constants(k, system)
  local past, list = {}, derivatives(k, s)
  local k1 = list[1][1]
  if m.regularize.gradient == "truncated" then k1 = value.stop(k1) end
  for i = 2, #list do past[i - 1] = { list[i][1] } end
  local step = stepper.step(k, system, tab, { u }, t, k:scalar "h", constants, { k1 }, past)
  local recorded = stepper.recorded(system, tab, step)
  for i = 2, #list do recorded[list[i][1].id] = list[i][2] end
  return step, recorded, list, constants
end

--- The sums with their cotangents, as derive.vjp wants them.
local function sum_pairs(k, m, s, step)
  local own, added = sums(k, m, s, step)
  local list = {}
  local function add(parts, q) list[#list + 1] = { parts[1], k:scalar(("cot_sums[%d]"):format(q - 1)) } end
  for q, parts in ipairs(own) do add(parts, q) end
  for q, parts in ipairs(added) do add(parts, #s.tab.err + q) end
  return list
end

local function forward(m, s)
  local k = kernel.new("local", m.params)
  local step, recorded = recorded_step(k, m, s)
  local _, added = sums(k, m, s, step)
  if #added == 0 then return nil end
  s.stepper.put_sums(k, added)
  k.graph, k.rhs_evals = k.graph:extract(recorded), 0
  return k
end

local function reverse(m, s)
  local k, held = kernel.new("rev_local", m.params), m.regularize.gradient ~= "total"
  local step, recorded, list, constants = recorded_step(k, m, s)
  local pairs_, targets = sum_pairs(k, m, s, step), {}
  for i, of in ipairs(list) do targets[i] = { ("cot_carry[%d]"):format(of[4]), of[3] } end
  if held then k:output("cot_carry[0]", value.zeros_like(step.u[1])) end
  k:reverse(pairs_, held and {} or targets, constants)
  k.graph = k.graph:extract(recorded)
  return k
end

local function add(a, b) return a and b and a + b or a or b end

local function joined(a, b) return table.move(b, 1, #b, #a + 1, table.move(a, 1, #a, 1, {})) end

--- Ends a reverse kernel over a carried step: the cotangents of the carry are those of `solution` alone, the sources get
-- those of `sums` too.  k1 is cut off the step: what reaches it from the sums goes on to f(t, u), unless it is held; what
-- reaches it from the solution goes on as well if the step computed it, else to the carry.  So it is with the k1 of the past.
local function reverse_apart(k, m, s, step, sums, solution)
  local fsal, u, k1, constants = s.tab.fsal, step.u[1], step.k[1][1], s.stepper.read_constants(k, s.system)
  local anew = fsal and derivatives(k, s)
  local sources, fields = k:sources(constants)
  local to = derive.vjp(solution, fsal and step.carry or { u, k1 })
  local cot = derive.vjp(joined(sums, solution), joined({ k1 }, sources))
  local onward = {}
  if m.regularize.gradient == "truncated" then
    onward[1] = not fsal and { k1, to[2] } or nil
  elseif not fsal then
    onward[1] = { k1, cot[1] }
  else
    onward[1] = { anew[1][1], cot[1] - to[2] }
    for i = 2, #anew do
      local c = derive.vjp(sums, { step.carry[1 + i] })[1]
      if c then onward[#onward + 1] = { anew[i][1], c } end
    end
  end
  local more = #onward > 0 and derive.vjp(onward, sources) or {}
  for i, field in ipairs(fields) do
    local c = add(cot[1 + i], more[i])
    if c then k:accumulate(field, c) end
  end
  if fsal then
    for i, v in ipairs(step.carry) do k:output(("cot_carry[%d]"):format(i - 1), to[i] or value.zeros_like(v)) end
  else
    k:output("cot_carry[0]", add(to[1], derive.vjp({ { k1, to[2] } }, { u })[1]))
  end
end

local function reverse_with_step(m, s)
  local k, system, tab, stepper = kernel.new("rev_step_local", m.params), s.system, s.tab, s.stepper
  local step = stepper.carried_step(k, system, tab)
  local solution, targets = {}, {}
  for i, component in ipairs(stepper.carry_components(system, tab)) do
    if step.next[i] then
      solution[#solution + 1] = { step.next[i], k:component(("cot_next[%d]"):format(i - 1), component) }
    end
    targets[i] = { ("cot_carry[%d]"):format(i - 1), step.carry[i] }
  end
  local sums = sum_pairs(k, m, s, step)
  if m.regularize.gradient == "total" then
    k:reverse(joined(sums, solution), targets, stepper.read_constants(k, system))
  else
    reverse_apart(k, m, s, step, sums, solution)
  end
  return s.tape:read(k, stepper.recorded(system, tab, step))
end

--- What --check differentiates: builds the step in k, returns the variables that are not held, and the sums.
function local_step.sums(k, m, s)
  local step, _, derived, constants = recorded_step(k, m, s)
  local own, added = sums(k, m, s, step)
  local variables, list = k:sources(constants), {}
  if m.regularize.gradient == "total" then
    for i, of in ipairs(derived) do table.insert(variables, i, of[3]) end
  end
  for _, parts in ipairs(joined(own, added)) do list[#list + 1] = parts[1] end
  return variables, list
end

--- Kernels by name, of s: a system by a method, with the tape of the discrete sweep if it passes the step.
function local_step.kernels(m, s)
  return { ["local"] = forward(m, s), rev_local = reverse(m, s), rev_step_local = s.tape and reverse_with_step(m, s) }
end

return local_step
