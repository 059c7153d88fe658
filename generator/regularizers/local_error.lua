--- Local regularization: the solver's own estimates of one step from (t_reg, u_reg), and their gradient.
--
--   R = E h, E the scaled RMS norm of the embedded error estimate            (Pal, Edelman, Rackauckas, ICML 2023)
--   S = RMS(k_s - k_j) / RMS(z_s - z_j) / real stability limit, stages s, j at c = 1
--
-- The kernels return sums; E, R and S are scalars of them.  What is held: t, h always; u unless gradient is "total"; k_1
-- only if it is "truncated".

local value = require "language.value"
local kernel = require "kernel"

local local_error = { name = "local_error", doc = "the solver's error or stiffness estimate of one local step" }

--- One step and its sums: error sums first, then, for the stiffness estimate, sum |k_s-k_j|^2 and sum |z_s-z_j|^2.
local function sums(k, system, tab, stepper, options)
  local u = k:component("carry[0]", system.components[1])
  local t, h, constants = k:scalar "t", k:scalar "h", stepper.read_constants(k, system)
  local k1
  if options.gradient == "truncated" then
    k1 = { value.stop(system.rhs(k, { u }, t, constants)[1]) }
    k.rhs_evals = k.rhs_evals + 1
  end
  local step = stepper.step(k, system, tab, { u }, t, h, constants, k1)
  local list = stepper.error_sums(k, system, tab, step, h, options.scale == "tolerance")
  if options.estimate == "stiffness" then
    local j, s = table.unpack(tab.stiffness_pair)
    for _, difference in ipairs { step.k[s][1] - step.k[j][1], step.z[s][1] - step.z[j][1] } do
      list[#list + 1] = { value.batch_sum(value.sum(difference * difference)) }
    end
  end
  return list, u, constants
end

function local_error.kernels(system, tab, stepper, params, options)
  local forward = kernel.new("local", params)
  stepper.put_sums(forward, (sums(forward, system, tab, stepper, options)))

  local rev = kernel.new("rev_local", params)
  local list, u, constants = sums(rev, system, tab, stepper, options)
  local pairs_ = {}
  for q, parts in ipairs(list) do pairs_[q] = { parts[1], rev:scalar(("cot_sums[%d]"):format(q - 1)) } end
  local held = options.gradient ~= "total"
  if held then rev:output("cot_carry[0]", value.zeros_like(u)) end
  rev:reverse(pairs_, held and {} or { { "cot_carry[0]", u } }, constants)
  return { ["local"] = forward, rev_local = rev }
end

--- S of the two stiffness sums, the first of them sums[0]; 0 where the stage arguments coincide.
function local_error.stiffness(k, tab)
  local dk, dz = k:scalar "sums[0]", k:scalar "sums[1]"
  local ratio = value.select(dz, dk / value.select(dz, dz, 1), 0)
  return value.select(ratio, value.sqrt(value.select(ratio, ratio, 1)), 0) / tab.real_stability_limit
end

return local_error
