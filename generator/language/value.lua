--- Values of the IR as Lua objects: what layers, steppers and the user's functions compute with.
--
-- A value wraps a graph and the number of one of its values.  Arithmetic on values adds ops to the graph; numbers and
-- lists of numbers or values are lifted.  Nothing is evaluated here, except that what is computed from numbers alone is
-- numbers again (numbers.lua): a scalar is then a plain Lua number, and a vector goes into any graph.

local contract = require "language.contract"
local ir = require "ir"
local numbers = require "language.numbers"

local value = {}
local Value = {}

local function wrap(g, id)
  if numbers.is(g) and #g:value(id).dims == 0 then return g:list(id)[1] end
  return setmetatable({ g = g, id = id }, Value)
end
value.wrap = wrap

function value.is(x) return getmetatable(x) == Value end

local number_info = { op = "const", kind = "shared", dims = {}, args = {}, attrs = {} }

--- What the IR knows of a value: op, kind, dims, args, attrs.
function value.info(v) return type(v) == "number" and number_info or v.g:value(v.id) end

function value.kind(v) return value.info(v).kind end
function value.rank(v) return #value.info(v).dims end

--- Number of elements.
function value.size(v)
  local n = 1
  for _, d in ipairs(value.info(v).dims) do n = n * d end
  return n
end

--- A constant that a graph multiplies with is finite, or what it is meant for cannot be told.
function value.const(g, number, note)
  if not contract.is_finite(number) then
    error(("a number that is %s where a finite one is wanted"):format(contract.type_of(number)), 0)
  end
  return wrap(g, g:const(number, note))
end

--- An input read from the kernel argument `field`, e.g. "carry[0]"; dims {} for a scalar.
function value.input(g, field, kind, dims) return wrap(g, g:input(field, kind, dims or {})) end

local function id_of(g, x)
  if type(x) == "number" then return numbers.is(g) and g:const(x) or value.const(g, x).id end
  if value.is(x) then
    if x.g == g then return x.id end
    if not numbers.is(x.g) then error("a value kept from another call; a function is traced anew each time", 0) end
    x = x.g:list(x.id)
  end
  if type(x) ~= "table" or #x == 0 then
    error(("a %s where a number, a value or a list of them is wanted"):format(contract.type_of(x)), 0)
  end
  local parts = {}
  for i = 1, #x do
    if type(x[i]) ~= "number" and not value.is(x[i]) then
      error(("a %s in a list of numbers and values"):format(contract.type_of(x[i])), 0)
    end
    parts[i] = id_of(g, x[i])
  end
  return g:op("concat", parts)
end

--- The same quantity as a value of graph g: numbers become constants, lists vectors.
function value.lift(g, x)
  return value.is(x) and x.g == g and x or wrap(g, id_of(g, x))
end

-- The graph of the values in a list, first of all one that is traced; nil if there are only plain numbers.
local function graph_of(list)
  local found
  for i = 1, #list do
    local x = list[i]
    local g = value.is(x) and x.g or type(x) == "table" and graph_of(x)
    if g and not numbers.is(g) then return g end
    found = found or g
  end
  return found or nil
end

--- Any op: value.op("add", { a, b }, attributes).
function value.op(name, args, attrs)
  local g = graph_of(args) or numbers.graph()
  local ids = {}
  for i = 1, #args do ids[i] = id_of(g, args[i]) end
  return wrap(g, g:op(name, ids, attrs))
end

local function binary(name) return function(a, b) return value.op(name, { a, b }) end end

Value.__add, Value.__sub, Value.__mul, Value.__div = binary "add", binary "sub", binary "mul", binary "div"
Value.__unm = function(a) return value.op("neg", { a }) end

--- x^n with a small whole n is written as products; anything else is pow.
Value.__pow = function(a, n)
  if math.type(n) == "integer" or (type(n) == "number" and n == math.floor(n)) then
    if n == 0 then return a * 0 + 1 end
    if n < 0 then return 1 / a ^ (-n) end
    if n <= 16 then
      local power, result = a, nil
      while n > 0 do
        if n % 2 == 1 then result = result and result * power or power end
        n = n // 1 // 2
        if n > 0 then power = power * power end
      end
      return result
    end
  end
  return value.op("pow", { a, n })
end

local function not_comparable() error("values cannot be compared with < or >; use L.where, L.lt, L.max or L.min", 0) end
Value.__lt, Value.__le = not_comparable, not_comparable
Value.__eq = function() error("values cannot be compared with ==; use L.where and L.eq", 0) end
Value.__newindex = function() error("a value cannot be changed; compute a new one, such as { a, b }", 0) end

Value.__len = function(a) return value.rank(a) == 0 and 1 or value.size(a) end

--- u[i] is feature i, from 1; u.name where the state has names; u:part(i, j) features i..j.
local methods = {}
function methods.part(v, i, j)
  local n = value.size(v)
  if not (math.type(i) == "integer" and math.type(j) == "integer" and i >= 1 and j <= n and i <= j) then
    error(("part(%s, %s) of a vector with %d features"):format(tostring(i), tostring(j), n), 0)
  end
  return value.op("slice", { v }, { i - 1, j - i + 1 })
end

--- Whether v.name means something of its own for every value.
function value.has(name) return methods[name] ~= nil or name == "g" or name == "id" or name == "names" end

Value.__index = function(v, key)
  if math.type(key) == "integer" then
    local n = value.rank(v) == 0 and 0 or value.size(v)
    if key < 1 or key > n then error(("index %d is outside 1..%d"):format(key, n), 0) end
    return value.op("index", { v }, { key - 1, 0 })
  end
  if methods[key] then return methods[key] end
  local names = rawget(v, "names")
  if names and names[key] then return v[names[key]] end
  if names then
    local known = {}
    for name in pairs(names) do known[#known + 1] = name end
    table.sort(known)
    error(("there is no '%s'; known: %s"):format(tostring(key), table.concat(known, ", ")), 0)
  end
  error(("a value has no '%s'; use an index from 1"):format(tostring(key)), 0)
end

--- The same value with names for its features: { "c", "T" } makes v.c mean v[1].
function value.named(v, names)
  local index = {}
  for i, name in ipairs(names) do index[name] = i end
  return setmetatable({ g = v.g, id = v.id, names = index }, Value)
end

-- Elementwise functions by name: value.tanh(x), value.max(x, y), ...; they accept plain numbers too, where math does.
for _, op in ipairs(ir.ops) do
  if op.class == "MAP" and not value[op.name] then
    value[op.name] = function(...) return value.op(op.name, { ... }) end
  end
end

--- What arithmetic can be done with: a number or a value, a list as a vector.
function value.operand(x)
  if type(x) == "number" or value.is(x) then return x end
  return value.op("concat", { x })
end

function value.relu(x) return value.max(x, 0) end
function value.softplus(x) return value.max(x, 0) + value.log1p(value.exp(value.neg(value.abs(x)))) end
--- The tanh form of gelu, as in the frameworks whose models are compared with.
function value.gelu(x)
  x = value.operand(x)
  return 0.5 * x * (1 + value.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ^ 3)))
end
function value.identity(x) return x end

--- What a layer may be told to apply, by name.
value.activations = { tanh = value.tanh, sigmoid = value.sigmoid, relu = value.relu, gelu = value.gelu,
                      softplus = value.softplus, identity = value.identity }
--- What a message says after a word that names none of them.
function value.suggest_activation(word)
  local names = contract.names(value.activations)
  return ("%s (known: %s)"):format(contract.suggestion(tostring(word), names), table.concat(names, ", "))
end

function value.sum(v)
  return value.rank(v) == 0 and v or value.op("sum", { v })
end
function value.concat(...) return value.op("concat", { ... }) end
function value.batch_sum(v) return value.op("batch_sum", { v }) end
function value.spread(v) return value.kind(v) == "sample" and v or value.op("spread", { v }) end
function value.matvec(w, x) return value.op("matvec", { w, x }) end
function value.expand(s, n) return value.op("expand", { s }, { n, 0 }) end
function value.reshape(v, rows, cols) return value.op("reshape", { v }, { rows, cols or 0 }) end

--- The vector of n features, zeros but for features[i]: one concat, where a sum of pads would add zeros.
function value.of_features(g, features, n)
  local parts, zeros = {}, 0
  local function flush()
    if zeros > 0 then parts[#parts + 1] = value.expand(value.lift(g, 0), zeros) end
    zeros = 0
  end
  for i = 1, n do
    if features[i] then
      flush()
      parts[#parts + 1] = features[i]
    else
      zeros = zeros + 1
    end
  end
  flush()
  return value.concat(table.unpack(parts))
end

--- The scalars that a vector was put together from, one for each feature; nil if it was not.
function value.scalars(v)
  local info, list = value.info(v), {}
  for _, id in ipairs(info.op == "concat" and info.args or {}) do
    local part = wrap(v.g, id)
    local of = value.info(part)
    if value.rank(part) > 0 and of.op ~= "expand" then return nil end
    for _ = 1, value.size(part) do list[#list + 1] = value.rank(part) == 0 and part or wrap(v.g, of.args[1]) end
  end
  return list[1] and list or nil
end

--- Whether v is zero by how it was made.
function value.is_zero(v)
  local info = value.info(v)
  if info.op == "spread" or info.op == "expand" then return value.is_zero(wrap(v.g, info.args[1])) end
  return info.op == "const" and info.number == 0
end

--- Zeros with the kind and shape of v.
function value.zeros_like(v)
  local info = value.info(v)
  local zero = value.const(v.g, 0)
  if #info.dims >= 1 then zero = value.expand(zero, value.size(v)) end
  if #info.dims == 2 then zero = value.reshape(zero, info.dims[1], info.dims[2]) end
  return info.kind == "sample" and value.spread(zero) or zero
end

return value
