--- Discrete adjoint: the exact gradient of the computed solution, by reverse mode through the accepted steps.
--
-- rev_step is the vjp of the stepper's step, the mesh held (numerics: t, h are constants).  What it needs of the forward
-- step is on the tape (tape.lua), or in the record anyway (carry, next, interior stages), or recomputed from those.

local kernel = require "kernel"
local tapes = require "tape"

local discrete = {
  doc = "exact gradient of the computed solution (discretise, then differentiate)",
  options = { store = { "stages", "state", "checkpoints" }, checkpoints = 0 },
}

--- Differentiates a step already built in k; full: with cotangents of the stages (dense output) and of the error sums.
local function reverse(k, s, step, full)
  local system, tab, stepper = s.system, s.tab, s.stepper
  local pairs_ = {}
  local function add(v, field, component) pairs_[#pairs_ + 1] = { v, k:component(field, component) } end
  for i, component in ipairs(stepper.carry_components(system, tab)) do
    if step.next[i] then add(step.next[i], ("cot_next[%d]"):format(i - 1), component) end
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
local function recorded(s, step, full)
  local stops = {}
  for i, v in ipairs(step.next) do if v then stops[v.id] = ("next_in[%d]"):format(i - 1) end end
  if full then
    for slot, i in ipairs(s.stepper.interior(s.tab)) do stops[step.k[i][1].id] = ("k_in[%d]"):format(slot - 1) end
  end
  for _, v in ipairs(step.carry) do stops[v.id] = nil end
  return stops
end

--- A reverse kernel before it is cut where the record or a tape has something; what the record has; the step; its size.
local function reverse_kernel(name, s, params, full)
  local k = kernel.new(name, params)
  local step = s.stepper.carried_step(k, s.system, s.tab)
  local forward = reverse(k, s, step, full)
  return k, recorded(s, step, full), step, forward
end

--- The kernels this sensitivity adds to those of s, a system by a method: step_tape, rev_step, rev_step_full, rev_rhs; and the
-- tape.
function discrete.kernels(s, params)
  local system, stepper = s.system, s.stepper
  local rev, stops, step, forward = reverse_kernel("rev_step", s, params, false)
  local tape = tapes.plan(rev.graph, forward, step, stops)

  local forward_kernel = kernel.new("step_tape", params)
  local same = stepper.carried_step(forward_kernel, system, s.tab)
  stepper.put_step(forward_kernel, system, s.tab, same)
  tape:write(forward_kernel)

  local full, full_stops = reverse_kernel("rev_step_full", s, params, true)

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
    rev_step_full = tape:read(full, full_stops),
    rev_rhs = rhs,
  }, tape
end

--- Those of a method's first steps: too few to have a tape.
function discrete.start_kernels(s, params)
  local kernels = {}
  for name, full in pairs { rev_step = false, rev_step_full = true } do
    local k, stops = reverse_kernel(name, s, params, full)
    k.graph = k.graph:extract(stops)
    kernels[name] = k
  end
  return kernels
end

return discrete
