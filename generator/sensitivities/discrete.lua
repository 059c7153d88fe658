--- Discrete adjoint: the exact gradient of the computed solution, by reverse mode through the accepted steps.
--
-- rev_step is the vjp of the stepper's step, the mesh held (numerics: t, h are constants).  What it needs of the forward
-- step is on the tape (tape.lua), or in the record anyway (carry, next, interior stages), or recomputed from those.

local kernel = require "kernel"
local tapes = require "tape"

local discrete = {
  name = "discrete", doc = "exact gradient of the computed solution (discretise, then differentiate)",
  options = { store = { "stages", "state", "checkpoints" }, checkpoints = 0 },
}

--- Differentiates a step already built in k; full: with cotangents of the stages (dense output) and of the error sums.
local function reverse(k, system, tab, stepper, step, full)
  local pairs_ = {}
  local function add(v, field, component) pairs_[#pairs_ + 1] = { v, k:component(field, component) } end
  for i, component in ipairs(stepper.carry_components(system, tab)) do
    add(step.next[i], ("cot_next[%d]"):format(i - 1), component)
  end
  if full then
    local interior, stages = stepper.interior(tab), {}
    for i, k_i in ipairs(step.k) do stages[i] = k_i[1] end
    for slot, i in ipairs(interior) do add(stages[i], ("cot_k[%d]"):format(slot - 1), system.components[1]) end
    stepper.extra_stages(k, system, tab, step.u[1], k:scalar "t", k:scalar "h", stepper.read_constants(k, system), stages)
    for e = 1, tab.dense.extra do
      add(stages[tab.stages + e], ("cot_k[%d]"):format(#interior + e - 1), system.components[1])
    end
    for q, parts in ipairs(tab.err and stepper.error_sums(k, system, tab, step, k:scalar "h", true) or {}) do
      for _, part in ipairs(parts) do pairs_[#pairs_ + 1] = { part, k:scalar(("cot_sums[%d]"):format(q - 1)) } end
    end
  end
  local forward, targets = k.graph:size(), {}
  for i, v in ipairs(step.carry) do targets[i] = { ("cot_carry[%d]"):format(i - 1), v } end
  k:reverse(pairs_, targets, stepper.read_constants(k, system))
  return forward
end

--- What the record has of a step without a tape: { [id] = field }.
local function recorded(tab, stepper, step, full)
  local stops = {}
  for i, v in ipairs(step.next) do stops[v.id] = ("next_in[%d]"):format(i - 1) end
  if full then
    for slot, i in ipairs(stepper.interior(tab)) do stops[step.k[i][1].id] = ("k_in[%d]"):format(slot - 1) end
  end
  for _, v in ipairs(step.carry) do stops[v.id] = nil end
  return stops
end

--- The kernels of a system this sensitivity adds: step_tape, rev_step, rev_step_full, rev_rhs; and the tape.
function discrete.kernels(system, tab, stepper, params)
  local rev = kernel.new("rev_step", params)
  local step = stepper.carried_step(rev, system, tab)
  local forward = reverse(rev, system, tab, stepper, step, false)
  local stops = recorded(tab, stepper, step, false)
  local tape = tapes.plan(rev.graph, forward, step, stops)

  local forward_kernel = kernel.new("step_tape", params)
  local same = stepper.carried_step(forward_kernel, system, tab)
  stepper.put_step(forward_kernel, system, tab, same)
  tape:write(forward_kernel)

  local full = kernel.new("rev_step_full", params)
  local full_step = stepper.carried_step(full, system, tab)
  reverse(full, system, tab, stepper, full_step, true)

  local rhs = kernel.new("rev_rhs", params)
  local u, constants = stepper.read_carry(rhs, system, { fsal = false }, "carry"), stepper.read_constants(rhs, system)
  local f, pairs_ = system.rhs(rhs, u, rhs:scalar "t", constants), {}
  for c, v in ipairs(f) do pairs_[c] = { v, rhs:component(("cot_next[%d]"):format(c - 1), system.components[c]) } end
  local targets = {}
  for c, v in ipairs(u) do targets[c] = { ("cot_carry[%d]"):format(c - 1), v } end
  rhs:reverse(pairs_, targets, constants)

  return {
    step_tape = forward_kernel,
    rev_step = tape:read(rev, stops),
    rev_step_full = tape:read(full, recorded(tab, stepper, full_step, true)),
    rev_rhs = rhs,
  }, tape
end

return discrete
