--- Exact fractions: what the coefficients of a method are until they are rounded, once, to doubles.
--
-- b - bhat cancels; formed from rounded weights it loses the digits that are the error estimate. So entries of a
-- tableau file are read as fractions, combined as fractions and rounded last. Fractions compute with + - * and compare
-- with ==; they are not kept in lowest terms, because only their text needs that.

local natural = require "language.natural"

local rational = {}
rational.__index = rational

-- Longer or more extreme entries are refused: no coefficient needs them, and they would only cost time.
local MAX_LENGTH <const> = 400
local MAX_EXPONENT <const> = 300

-- (-1)^negative * num / den; zero is never negative.
local function fraction(negative, num, den)
  return setmetatable({ negative = negative and #num > 0, num = num, den = den }, rational)
end

local function power_of_ten(n) return natural.parse("1" .. ("0"):rep(n)) end

-- A decimal with optional sign, point and exponent.
local function parse_decimal(text)
  local mantissa, exponent = text:match "^(.-)[eE]([+-]?%d+)$"
  local sign, whole, part = (mantissa or text):match "^([+-]?)(%d*)%.?(%d*)$"
  exponent = tonumber(exponent or 0)
  if not sign or whole .. part == "" or math.abs(exponent) > MAX_EXPONENT then return nil end
  local scale = exponent - #part
  local num, den = natural.parse(whole .. part), power_of_ten(math.max(-scale, 0))
  return fraction(sign == "-", natural.mul(num, power_of_ten(math.max(scale, 0))), den)
end

--- The fraction that text spells, "p", "p/q" with decimals p and q; nil if it spells none.
function rational.parse(text)
  if #text > MAX_LENGTH then return nil end
  local over, under = text:match "^%s*(%S+)%s*/%s*(%S+)%s*$"
  local p, q = parse_decimal(over or text:match "^%s*(%S*)%s*$" or ""), parse_decimal(under or "1")
  if not p or not q or #q.num == 0 then return nil end
  return fraction(p.negative ~= q.negative, natural.mul(p.num, q.den), natural.mul(p.den, q.num))
end

function rational.integer(n) return fraction(n < 0, natural.parse(("%d"):format(math.abs(n))), natural.parse "1") end

function rational.__unm(x) return fraction(not x.negative, x.num, x.den) end

function rational.__add(x, y)
  local a, b = natural.mul(x.num, y.den), natural.mul(y.num, x.den)
  local den = natural.mul(x.den, y.den)
  if x.negative == y.negative then return fraction(x.negative, natural.add(a, b), den) end
  if natural.compare(a, b) >= 0 then return fraction(x.negative, natural.sub(a, b), den) end
  return fraction(y.negative, natural.sub(b, a), den)
end

function rational.__sub(x, y) return x + -y end

function rational.__mul(x, y)
  return fraction(x.negative ~= y.negative, natural.mul(x.num, y.num), natural.mul(x.den, y.den))
end

function rational.__eq(x, y) return (x - y):is_zero() end

function rational:is_zero() return #self.num == 0 end

--- The nearest double, ties to even. The quotient is cut at 55 or 56 bits, its last bit set if anything was cut off: so
-- rounding it to 53 rounds the exact value. (Subnormal results may be rounded twice; coefficients are never that small.)
function rational:tonumber()
  if self:is_zero() then return 0.0 end
  local shift = 55 - natural.bits(self.num) + natural.bits(self.den)
  local num, den = natural.shift(self.num, math.max(shift, 0)), natural.shift(self.den, math.max(-shift, 0))
  local quotient, rest = natural.divmod(num, den)
  local digits = natural.tointeger(quotient) | (#rest > 0 and 1 or 0)
  local half = -shift // 2 -- in two factors, because 2^-shift alone may leave the range of doubles
  local magnitude = digits * 2.0 ^ half * 2.0 ^ (-shift - half)
  return self.negative and -magnitude or magnitude
end

--- "p/q" or "p" in lowest terms.
function rational:__tostring()
  local common = natural.gcd(self.num, self.den)
  local num, den = natural.divmod(self.num, common), natural.divmod(self.den, common)
  local text = (self.negative and "-" or "") .. natural.format(num)
  return natural.compare(den, natural.parse "1") == 0 and text or text .. "/" .. natural.format(den)
end

return rational
