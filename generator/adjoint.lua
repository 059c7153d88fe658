--- The adjoint of an initial value problem: a system of its own, which the stepper expands as it does any other.
--
--   lambda' = -f_u^T lambda,   dL/dp = integral of f_p^T lambda dt,   dL/dx the same for the constants x of the solve
--
-- from the last save time back to t0, lambda jumping by dL/du at save times (Pontryagin et al.; Chen et al. 2018).  What is
-- to choose: where u(t) comes from, the forward solution's dense output or the same reverse solve, and who integrates the
-- gradient, the reverse solve or a quadrature rule once lambda is known.  The files of sensitivities/ are such choices.

local derive = require "derive"
local kernel = require "kernel"
local value = require "language.value"

local adjoint = {}

--- What an error norm sees where the integrals are components: all of them, or lambda and u alone.
adjoint.norm = { "full", "state" }

--- The options of every adjoint, with their defaults (language/settings.lua), and further ones.  Tolerances of 0 are the
-- solver's; checkpoints of the forward solution, 0 for what is fastest.
function adjoint.options(further)
  local options = { atol = 0.0, rtol = 0.0, checkpoints = 0 }
  for name, default in pairs(further or {}) do options[name] = default end
  return options
end

--- What is integrated along the solution: the gradient by the leaves of the dynamics, as one vector, then the cotangents of
-- the constants.
local function integrals(system, params)
  local list = {}
  if params.dynamics_size > 0 then list[1] = { name = "gradient", kind = "shared", size = params.dynamics_size } end
  for _, constant in ipairs(system.constants) do
    list[#list + 1] = { name = "cot_" .. constant.name, kind = "sample", size = constant.size }
  end
  return list
end

--- f(u) and the transpose of its derivative applied to w: by u, and by what is integrated.
local function transpose(k, system, params, u, t, constants, w)
  local f = system.rhs(k, { u }, t, constants)[1]
  local names, leaves = k:leaves()
  local wrt = table.move(constants, 1, #constants, #leaves + 2, table.move(leaves, 1, #leaves, 2, { u }))
  local cot, by_name, list = derive.vjp({ { f, w } }, wrt), {}, {}
  for i, name in ipairs(names) do by_name[name] = cot[1 + i] end
  if params.dynamics_size > 0 then
    local flat = {}
    for i, leaf in ipairs(params:dynamics()) do
      local c = by_name[leaf.name] or value.zeros_like(k:param(leaf.name))
      flat[i] = #leaf.dims == 2 and value.reshape(c, leaf.size, 0) or c
    end
    list[1] = value.concat(table.unpack(flat))
  end
  for i, x in ipairs(constants) do list[#list + 1] = cot[1 + #leaves + i] or value.zeros_like(x) end
  return f, cot[1] or value.zeros_like(u), list
end

--- The adjoint of a system with one component.  o:
--   state   u is integrated backwards too, as the second component; else it is external
--   rule    the quadrature rule (quadrature.lua) for the integrals; else they are components, and
--   norm    is one of adjoint.norm
function adjoint.system(system, params, o)
  local state, list = system.components[1], integrals(system, params)
  local components = { { name = "lambda", kind = "sample", size = state.size } }
  if o.state then components[2] = { name = "u", kind = "sample", size = state.size } end
  local controlled = #components
  if not o.rule then table.move(list, 1, #list, #components + 1, components) end

  local function rhs(k, y, t, constants, external)
    local u = o.state and y[2] or external
    local f, dlambda, rest = transpose(k, system, params, u, t, constants, -y[1])
    local result = { dlambda, o.state and f or nil }
    return o.rule and result or table.move(rest, 1, #rest, #result + 1, result)
  end

  local function external_rate(k, u, t, constants) return system.rhs(k, { u }, t, constants)[1] end

  return { name = "adjoint", components = components, controlled = o.norm == "state" and controlled or #components,
           constants = system.constants, external = not o.state and state.size or nil, external_rate = external_rate, rhs = rhs,
           integrals = list, of = system, state = o.state, rule = o.rule }
end

--- sum over the components of sum (x / sc)^2, sc from y.
local function put_error(k, stepper, components, x, y)
  for i, component in ipairs(components) do
    local e = x[i] / stepper.scale(k, component, value.abs(y[i]))
    k:accumulate("sums[0]", stepper.total(component, e * e))
  end
end

--- One node of the rule: adds weight F(t), F the integrands, to the integrals and, for a rule that estimates its error,
-- difference F(t) to the differences, which come after them.
local function integrand(system, params, stepper)
  local k = kernel.new("integrand", params)
  local lambda = k:component("carry[0]", system.components[1])
  local u = k:array("external[0]", "sample", { system.external })
  local _, _, values = transpose(k, system.of, params, u, k:scalar "t", stepper.read_constants(k, system), lambda)
  local function put(weight, first)
    local list = {}
    for i, v in ipairs(values) do
      list[i] = k:component(("in[%d]"):format(first + i - 1), system.integrals[i]) + weight * v
      k:output(("out[%d]"):format(first + i - 1), list[i])
    end
    return list
  end
  local sums = put(k:scalar "weight", 0)
  if system.rule.differences then put_error(k, stepper, system.integrals, put(k:scalar "difference", #values), sums) end
  k.rhs_evals = 1
  return k
end

--- How far u, integrated backwards, misses the true one.
local function miss(system, params, stepper)
  local k = kernel.new("miss", params)
  local u, truth = k:component("carry[1]", system.components[2]), k:component("in[0]", system.components[2])
  put_error(k, stepper, { system.components[2] }, { u - truth }, { truth })
  return k
end

--- The kernels an adjoint needs beside those of the stepper, by name.
function adjoint.kernels(system, params, stepper)
  local list = {}
  if system.rule and #system.integrals > 0 then list.integrand = integrand(system, params, stepper) end
  if system.state then list.miss = miss(system, params, stepper) end
  return list
end

return adjoint
