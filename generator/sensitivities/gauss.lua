--- Gauss adjoint: lambda alone integrated backwards; the gradient by Gauss's rule on every reverse step as it is accepted.
--
-- A rule of n nodes is exact to degree 2n - 1: with n = (order + 1) / 2 its error is that of the method.

local adjoint = require "adjoint"
local quadrature = require "quadrature"

local gauss = { doc = "adjoint equations for lambda alone, the gradient by Gauss quadrature on every step",
                options = adjoint.options() }

function gauss.adjoint(system, params, tab)
  return adjoint.system(system, params, { rule = quadrature.gauss((tab.order + 1) // 2) })
end

return gauss
