--- Interpolating adjoint: lambda and the gradient integrated backwards together, u(t) by dense output of the forward solution.

local adjoint = require "adjoint"

local interpolating = { doc = "adjoint equations integrated backwards over dense output",
                        options = adjoint.options { norm = adjoint.norm } }

function interpolating.adjoint(system, params, _, options)
  return adjoint.system(system, params, { norm = options.norm })
end

return interpolating
