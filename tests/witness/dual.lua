--- Dual numbers: a value and its derivative, for the few scalar formulas that are not linear.  abs and max decide by the value.

local Dual = {}
Dual.__index = Dual

local function dual(value, slope) return setmetatable({ value = value, slope = slope }, Dual) end
local function lift(x) return type(x) == "number" and dual(x, 0) or x end

function Dual.__add(a, b)
  a, b = lift(a), lift(b)
  return dual(a.value + b.value, a.slope + b.slope)
end
function Dual.__sub(a, b)
  a, b = lift(a), lift(b)
  return dual(a.value - b.value, a.slope - b.slope)
end
function Dual.__mul(a, b)
  a, b = lift(a), lift(b)
  return dual(a.value * b.value, a.slope * b.value + a.value * b.slope)
end
function Dual.__div(a, b)
  a, b = lift(a), lift(b)
  return dual(a.value / b.value, (a.slope - a.value / b.value * b.slope) / b.value)
end
function Dual:sqrt()
  local root = math.sqrt(self.value)
  return dual(root, self.slope / (2 * root))
end
function Dual:abs() return self.value < 0 and dual(-self.value, -self.slope) or self end
function Dual.max(a, b) return a.value < b.value and b or a end

return dual
