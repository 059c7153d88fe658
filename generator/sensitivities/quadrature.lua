--- Quadrature adjoint: lambda alone integrated backwards and kept from save time to save time; the gradient in between by
--- adaptive Gauss-Kronrod quadrature of its dense output.

local adjoint = require "adjoint"
local quadrature = require "quadrature"

local sensitivity = { doc = "adjoint equations for lambda alone, then adaptive Gauss-Kronrod quadrature",
                      options = adjoint.options() }

function sensitivity.adjoint(system, params)
  return adjoint.system(system, params, { rule = quadrature.gauss_kronrod() })
end

return sensitivity
