--- Interpolating adjoint: lambda and the parameter gradient integrated backwards against the dense forward solution.
--
--   dlambda/dt = -f_u^T lambda,   dg/dt = -f_p^T lambda,   dmu/dt = -f_x^T lambda (constants x of the solve)
--
-- from t1 to t0 with a negative step, u(t) from dense output.  It is an ordinary system: the stepper expands the same
-- tableau over it, its right-hand side is the vjp of the model's.

local value = require "language.value"
local derive = require "derive"

local interpolating = {
  name = "interpolating", doc = "adjoint equations integrated backwards over dense output", options = { checkpoints = "integer?" },
}

--- What the forward record keeps: every step's stages (the default) or so many states, between which steps are taken again.
function interpolating.storage(options)
  return options.checkpoints and "checkpoints" or "stages", options.checkpoints
end

--- The adjoint of a system with one component.  params: the leaves of the dynamics are the first params.dynamics_size.
function interpolating.adjoint(system, params)
  local state = system.components[1]
  local components = {
    { name = "lambda", kind = "sample", size = state.size },
  }
  if params.dynamics_size > 0 then
    components[#components + 1] = { name = "gradient", kind = "shared", size = params.dynamics_size }
  end
  for _, constant in ipairs(system.constants) do
    components[#components + 1] = { name = "cot_" .. constant.name, kind = "sample", size = constant.size }
  end

  local function rhs(k, u, t, constants, external)
    local f = system.rhs(k, { external }, t, constants)[1]
    local names, leaves = k:leaves()
    local wrt = { external }
    table.move(leaves, 1, #leaves, 2, wrt)
    table.move(constants, 1, #constants, #leaves + 2, wrt)
    local cot = derive.vjp({ { f, -u[1] } }, wrt)
    local by_name = {}
    for i, name in ipairs(names) do by_name[name] = cot[1 + i] end
    local result = { cot[1] or value.zeros_like(external) }
    if params.dynamics_size > 0 then
      local flat = {}
      for i, leaf in ipairs(params:dynamics()) do
        local c = by_name[leaf.name] or value.zeros_like(k:param(leaf.name))
        flat[i] = #leaf.dims == 2 and value.reshape(c, leaf.size, 0) or c
      end
      result[2] = value.concat(table.unpack(flat))
    end
    for i, x in ipairs(constants) do result[#result + 1] = cot[1 + #leaves + i] or value.zeros_like(x) end
    return result
  end

  return { name = "adjoint", components = components, constants = system.constants, external = state.size, rhs = rhs }
end

return interpolating
