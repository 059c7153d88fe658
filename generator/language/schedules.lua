--- Schedules over training steps: what a learning rate or a coefficient may be besides a number.
--
-- value(step) for step = 1..n, n = train.steps: see runtime/train/schedule.h, which evaluates them.

local contract = require "language.contract"

local schedules = {}
local Schedule = {}

local kinds = {
  constant = { 1, "L.constant { value }" },
  exponential = { 2, "L.exponential { from, to }: a exp(-k step), k = ln(a/b)/n" },
  linear = { 2, "L.linear { from, to }" },
  cosine = { 2, "L.cosine { from, to }" },
  inverse = { 2, "L.inverse { value, rate }: a / (1 + b step)" },
}

function schedules.constructors()
  local list = {}
  for kind, about in pairs(kinds) do
    list[kind] = function(o)
      if type(o) ~= "table" or #o ~= about[1] or not contract.is_finite(o[1]) or not contract.is_finite(o[about[1]]) then
        error(("%s takes %d finite number%s"):format(about[2], about[1], about[1] == 1 and "" or "s"), 0)
      end
      if kind == "exponential" and not (o[1] > 0 and o[2] > 0) then error("L.exponential: both values must be positive", 0) end
      return setmetatable({ kind = kind, a = o[1], b = o[2] or 0 }, Schedule)
    end
  end
  return list
end

--- A number or a schedule, as a schedule; nil if it is neither.
function schedules.of(x)
  if type(x) == "number" then return { kind = "constant", a = x, b = 0 } end
  return getmetatable(x) == Schedule and x or nil
end

return schedules
