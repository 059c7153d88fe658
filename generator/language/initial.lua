--- How parameters start: what `init` of a layer may be.
--
--   L.glorot(gain)     uniform in +-gain sqrt(6 / (fan_in + fan_out))
--   L.uniform(a, b)    uniform in [a, b]

local contract = require "language.contract"

local initial = {}
local Initial = {}

local function number(name, x)
  if not contract.is_finite(x) then error(("%s takes finite numbers, not a %s"):format(name, contract.type_of(x)), 0) end
  return x
end

function initial.glorot(gain)
  return setmetatable({ kind = "glorot", a = number("L.glorot(gain)", gain or 1) }, Initial)
end

function initial.uniform(a, b)
  return setmetatable({ kind = "uniform", a = number("L.uniform(a, b)", a), b = number("L.uniform(a, b)", b) }, Initial)
end

function initial.is(x) return getmetatable(x) == Initial end

return initial
