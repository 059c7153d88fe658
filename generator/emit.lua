--- A planned kernel through a backend's spelling: names, operands and statements.
--
-- The backend (templates/<name>/backend.lua) says how an op, a number, a load and a declaration are spelled; its kernel
-- shape (templates/<name>/kernel.lua) walks the blocks of the plan and asks here for the statements inside.

local emit = {}
local Emit = {}
Emit.__index = Emit

local function identifier(text) return (text:gsub("%[(%d+)%]", "%1"):gsub("[^%w_]", "_")) end

--- plan: schedule.plan's; backend: spellings; fields: says where a field lives (fields.lua); options: formulas, what the reader
-- is told of a value by its name; loops, those of the file (outline.lua); gemm, the suffix of matrix products.
function emit.new(plan, backend, fields, options)
  local e = setmetatable({ plan = plan, backend = backend, fields = fields, formulas = options.formulas, loops = options.loops,
                           gemm = options.gemm, names = {}, taken = {}, said = {} }, Emit)
  for _, word in ipairs(backend.reserved) do e.taken[word] = "reserved" end
  e:begin_function()
  return e
end

--- A fresh name, from a hint if there is one, else from the number of the value.  kind: what outline.lua
-- declares it as where it is an operand; without one it is local to the block that declares it.
function Emit:fresh(hint, id, kind)
  local name = hint and identifier(hint) or ("v" .. id)
  local bare, n = name, 1
  while self.taken[name] do
    n = n + 1
    name = ("%s_%d"):format(bare, n)
  end
  self.taken[name] = kind or "local"
  return name
end

function Emit:name(v)
  local name = self.names[v.id]
  if not name then
    name = self:fresh(v.op ~= "input" and v.name or nil, v.id)
    self.names[v.id] = name
  end
  return name
end

--- The pointer an input field or an array is read through; declared once by the kernel shape.
function Emit:pointer(field)
  self.pointers = self.pointers or {}
  self.pointer_order = self.pointer_order or {}
  local p = self.pointers[field]
  if not p then
    p = { field = field, name = self:fresh(self.fields:pretty(field), nil, "read") }
    self.pointers[field] = p
    table.insert(self.pointer_order, p)
  end
  return p.name
end

function Emit:array_name(array)
  if not array.name then
    local hint = array.output and self.fields:pretty(array.output.field) or (array.lane and "sum" or "w")
    array.name = self:fresh(hint, nil, array.lane and array.value.op == "sum" and "sum" or "read")
  end
  return array.name
end

--- Where the rows of a per-sample value start: pointer name and first row.
function Emit:rows(v)
  if v.op == "input" then return self:pointer(v.name), 0 end
  if v.op == "index" or v.op == "slice" then
    local base, row = self:rows(self.plan.values[v.args[1]])
    return base, row + v.attrs[1]
  end
  return self:array_name(v.storage.array), v.storage.row
end

--- The operand of a statement in `block`, in the model's precision.
function Emit:operand(v, block)
  local b = self.backend
  if v.kind == "shared" then
    if v.op == "const" then return b.number(v.number) end
    if #v.dims == 0 then return self:scalar_operand(v) end
    return self:row_operand(v, block)
  end
  if v.op ~= "input" and v.op ~= "index" and v.op ~= "slice" and v.block == block and not (block.done and block.done[v.id]) then
    return self:name(v)
  end
  local base, row = self:rows(v)
  return b.load(base, row, v.size > 1, v.storage and v.storage.array.lane and v.op ~= "input")
end

--- A shared scalar, rounded to the model's precision where it meets per-sample values.
function Emit:scalar_operand(v)
  if self.backend.precision == "f64" then return self:use_scalar(v) end
  if not self.rounded[v.id] then
    local of = self:use_scalar(v)
    local name = self:fresh(of .. "_r", nil, "scalar")
    self.rounded[v.id] = name
    table.insert(self.rounded_order, { name = name, of = of })
  end
  return self.rounded[v.id]
end

--- The name of a shared scalar's double; the function being written declares it.
function Emit:use_scalar(v)
  self.names[v.id] = self.names[v.id] or self:fresh(v.op == "input" and self.fields:pretty(v.name) or v.name, v.id, "scalar")
  self.used_scalars[v.id] = true
  return self.names[v.id]
end

--- A shared vector at feature i: inputs are loaded, elementwise values are row statements of the block.
function Emit:row_operand(v, block)
  if v.op == "input" then return self.backend.shared_load(self:pointer(v.name), 0, v.size > 1) end
  if v.op == "slice" then
    local of = self.plan.values[v.args[1]]
    if of.op == "input" then return self.backend.shared_load(self:pointer(of.name), v.attrs[1], v.size > 1) end
  end
  if v.op == "expand" then return self:operand(self.plan.values[v.args[1]], block) end
  block.rows = block.rows or {}
  block.row_order = block.row_order or {}
  if not block.rows[v.id] then
    local args = {}
    for i, a in ipairs(v.args) do args[i] = self:operand(self.plan.values[a], block) end
    if not self.backend.spell[v.op] then error(("'%s' of a shared vector is beyond this backend"):format(v.op), 0) end
    local name = self:fresh("row" .. v.id .. "_" .. block.number)
    block.rows[v.id] = name
    table.insert(block.row_order, { name = name, text = self.backend.op(v.op, args, "real") })
  end
  return block.rows[v.id]
end

--- Declarations of the shared scalars used so far and of those they are made of, in double: { name, text, note }.
function Emit:scalars()
  local b, values, list = self.backend, self.plan.values, {}
  for i = #self.plan.scalars, 1, -1 do
    local v = self.plan.scalars[i]
    if self.used_scalars[v.id] and v.op ~= "const" then
      local entry = { name = self:use_scalar(v) }
      if v.op == "input" then
        entry.text = self.fields:scalar(v.name)
      elseif v.op == "index" then
        entry.text = b.shared_element(self:pointer(values[v.args[1]].name), v.attrs[1])
      else
        local args = {}
        for j, a in ipairs(v.args) do
          local of = values[a]
          entry.note = entry.note or of.note
          args[j] = of.op == "const" and b.double(of.number) or self:use_scalar(of)
        end
        entry.text = b.op(v.op, args, "double")
      end
      table.insert(list, 1, entry)
    end
  end
  return list
end

--- The formula that v is, or is a feature of, when it is met for the first time.
function Emit:formula(v)
  local bare = v.op ~= "input" and v.name and v.name:gsub("_%d+$", "")
  local formula = bare and self.formulas[bare]
  if formula and not self.said[bare] then
    self.said[bare] = true
    return formula
  end
end

--- Forgets which scalars are declared: a new function begins.
function Emit:begin_function() self.used_scalars, self.rounded, self.rounded_order = {}, {}, {} end

return emit
