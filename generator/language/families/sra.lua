--- SRA: Roessler's methods for additive noise, g = g(t) (language/rossler.lua).  A file's beta1 is of dW, its beta2 of chi2.

local rossler = require "language.rossler"

local sra = {}

sra.fields = rossler.fields {}

local CONTROL_ORDER <const> = 2

--- The order conditions (Roessler 2010), level by level; the noise being additive, the first of them is order 1 already.
local function levels(m, v)
  local dot, dW, chi2 = rossler.dot, m.beta[1], m.beta[3]
  return {
    { 1, { dot(m.alpha, v.e), 1 }, { dot(dW, v.e), 1 }, { dot(chi2, v.e), 0 } },
    { 3 / 2, { dot(m.alpha, v.A0e), 1 / 2 }, { dot(m.alpha, v.B0e), 1 }, { dot(m.alpha, rossler.squared(v.B0e)), 3 / 2 },
      { dot(dW, m.c1), 1 }, { dot(chi2, m.c1), -1 } },
  }
end

--- The method that `data` describes, checked and completed.
function sra.complete(data, file)
  local read = rossler.read(data, file, { "beta1", false, "beta2", false })
  local method = rossler.complete(data, file, read, levels, CONTROL_ORDER)
  method.additive = true
  return method
end

return sra
