--- Natural numbers of any size, for exact coefficients (rational.lua).
--
-- A number is a list of limbs of 24 bits, least first, without zero limbs at the top; {} is 0. Twenty-four, so that a
-- product of two limbs and the carries stay far inside Lua's 64-bit integers. Nothing is changed in place: every
-- function returns a new number. Coefficients have tens of digits, so the school's algorithms are fast enough.

local natural = {}

local LIMB <const> = 24
local MASK <const> = (1 << LIMB) - 1
local CHUNK <const> = 7 -- decimal digits that fit in a limb

local function trim(a)
  while a[#a] == 0 do a[#a] = nil end
  return a
end

--- -1, 0 or 1 as a is less than, equal to or greater than b.
function natural.compare(a, b)
  if #a ~= #b then return #a < #b and -1 or 1 end
  for i = #a, 1, -1 do
    if a[i] ~= b[i] then return a[i] < b[i] and -1 or 1 end
  end
  return 0
end

function natural.add(a, b)
  local sum, carry = {}, 0
  for i = 1, math.max(#a, #b) + 1 do
    carry = carry + (a[i] or 0) + (b[i] or 0)
    sum[i] = carry & MASK
    carry = carry >> LIMB
  end
  return trim(sum)
end

--- a - b, for a >= b.
function natural.sub(a, b)
  local difference, borrow = {}, 0
  for i = 1, #a do
    local d = a[i] - (b[i] or 0) - borrow
    difference[i] = d & MASK
    borrow = d < 0 and 1 or 0
  end
  return trim(difference)
end

function natural.mul(a, b)
  local product = {}
  for i = 1, #a + #b do product[i] = 0 end
  for i = 1, #a do
    local carry = 0
    for j = 1, #b do
      carry = carry + product[i + j - 1] + a[i] * b[j]
      product[i + j - 1] = carry & MASK
      carry = carry >> LIMB
    end
    product[i + #b] = carry
  end
  return trim(product)
end

--- The number of binary digits; 0 has none.
function natural.bits(a)
  local top, n = a[#a] or 0, LIMB * (math.max(#a, 1) - 1)
  while top > 0 do
    top, n = top >> 1, n + 1
  end
  return n
end

--- a * 2^n.
function natural.shift(a, n)
  local limbs, bits = n // LIMB, n % LIMB
  local shifted, carry = {}, 0
  for i = 1, limbs do shifted[i] = 0 end
  for i = 1, #a do
    carry = carry | a[i] << bits
    shifted[limbs + i] = carry & MASK
    carry = carry >> LIMB
  end
  shifted[limbs + #a + 1] = carry
  return trim(shifted)
end

-- a / 2^n, cut, for n < LIMB.
local function unshift(a, n)
  local result = {}
  for i = 1, #a do result[i] = (a[i] >> n | (a[i + 1] or 0) << LIMB - n) & MASK end
  return trim(result)
end

-- Takes q v from u, whose limbs from j on it concerns; whether that was too much.
local function take(u, j, q, v)
  local borrow, n = 0, #v
  for i = 1, n do
    local d = u[j + i] - q * v[i] - borrow
    u[j + i], borrow = d & MASK, -(d // (MASK + 1))
  end
  local d = u[j + n + 1] - borrow
  u[j + n + 1] = d & MASK
  return d < 0
end

--- Quotient and remainder, for b > 0, by Knuth's algorithm D: a limb of the quotient is guessed from the first limbs of both,
--- of which that of the divisor is made large, so that the guess is too large by 2 at most.
function natural.divmod(a, b)
  if natural.compare(a, b) < 0 then return {}, a end
  local shift = -natural.bits(b) % LIMB
  local u, v, quotient = natural.shift(a, shift), natural.shift(b, shift), {}
  local n = #v
  for i = #u + 1, #a + 1 do u[i] = 0 end
  for j = #u - n - 1, 0, -1 do
    local first = u[j + n + 1] << LIMB | u[j + n]
    local q, rest = first // v[n], first % v[n]
    while q > MASK or (n > 1 and rest <= MASK and q * v[n - 1] > (rest << LIMB | u[j + n - 1])) do
      q, rest = q - 1, rest + v[n]
    end
    if take(u, j, q, v) then
      q = q - 1
      take(u, j, -1, v)
    end
    quotient[j + 1] = q
  end
  return trim(quotient), unshift(trim(u), shift)
end

function natural.gcd(a, b)
  while #b > 0 do
    local _, rest = natural.divmod(a, b)
    a, b = b, rest
  end
  return a
end

--- The number written as decimal digits.
function natural.parse(digits)
  local a = {}
  for chunk in digits:gmatch("%d" .. ("%d?"):rep(CHUNK - 1)) do
    a = natural.add(natural.mul(a, { 10 ^ #chunk // 1 | 0 }), trim { tonumber(chunk) })
  end
  return a
end

function natural.format(a)
  local chunks = {}
  while #a > 0 do
    local rest
    a, rest = natural.divmod(a, { 10 ^ CHUNK // 1 | 0 })
    table.insert(chunks, 1, ("%07d"):format(rest[1] or 0))
  end
  local digits = table.concat(chunks):gsub("^0+", "")
  return digits == "" and "0" or digits
end

--- As a Lua integer, for a < 2^63.
function natural.tointeger(a)
  local n = 0
  for i = #a, 1, -1 do n = n << LIMB | a[i] end
  return n
end

return natural
