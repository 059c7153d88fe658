--- The fields of lrnde_args as kernels name them: where each lives, what emitted text calls it.
--
-- A field is "carry[0]", "params.<leaf>", "tape[<row>]", "t".  runtime/kernel.h is the contract; this is its only mirror in
-- the generator.  Access text is C, which every backend speaks.

local header = require "header"

local fields = {}
local Fields = {}
Fields.__index = Fields

local scalars = header.names "LRNDE_SCALARS"

-- Fields that hold one pointer for all of the kernel, and those that hold a table of pointers.
local writable = { next = true, k = true, tape = true, out = true, cot_carry = true, cot_constants = true, partial = true }

--- names: what to call things: { carry = {..}, next = {..}, k = {..}, noise = {..}, constants = {..}, data = {..} } (0-based
-- lists shifted by one); params: the parameter list; tape: rows of the tape.
function fields.new(names, params, tape)
  return setmetatable({ names = names, params = params, tape = tape }, Fields)
end

local function split(field)
  local base, index = field:match "^([%a_]+)%[(%d+)%]$"
  if base then return base, math.tointeger(tonumber(index)) end
  local leaf = field:match "^params%.(.+)$"
  if leaf then return "params", leaf end
  return field, nil
end
fields.split = split

--- The name a reader expects: u, k3, bar_u1, dynamics_0_weight.
function Fields:pretty(field)
  local base, index = split(field)
  if base == "params" then return index or "params" end
  local bare = base:gsub("_in$", "")
  local cotangent = bare:match "^cot_(.+)$"
  local names = self.names[cotangent or bare]
  local name = names and names[(index or 0) + 1] or (cotangent or bare) .. (index and tostring(index) or "")
  return cotangent and "bar_" .. name or name
end

--- Text of a double-precision scalar input.
function Fields:scalar(field)
  local base, index = split(field)
  if scalars[base] then return "a->s." .. base end
  if base == "cot_sums" then return ("a->cot_sums[%d]"):format(index) end
  if base == "params" then return ("(double)((const real *)a->params)[%d]"):format(self.params:leaf(index).offset) end
  error("no scalar field '" .. field .. "'", 0)
end

--- Text of a pointer to the first element of a field, for a tile of a per-sample field with `size` features.
function Fields:pointer(field, size, per_sample)
  local base, index = split(field)
  local cast = writable[base] and "(real *)" or "(const real *)"
  if base == "params" and index then
    local offset = self.params:leaf(index).offset
    return offset == 0 and cast .. "a->params" or ("%sa->params + %d"):format(cast, offset)
  end
  if base == "tape" or base == "tape_in" then
    return ("%sa->%s + ((size_t)tile * %d + %d) * T"):format(cast, base, self.tape, index)
  end
  local text = index and ("%sa->%s[%d]"):format(cast, base, index) or ("%sa->%s"):format(cast, base)
  return per_sample and ("%s + (size_t)tile * (%d * T)"):format(text, size) or text
end

--- Is this output a dense shared array when its value is shared?
function Fields:is_shared(field)
  local base = split(field)
  return base == "next" or base == "out" or base == "cot_carry"
end

return fields
