--- A planned kernel through a backend's spelling: names, operands and statements.
--
-- The backend (templates/<name>/backend.lua) says how an op, a number, a load and a declaration are spelled; its kernel
-- shape (templates/<name>/kernel.lua) walks the blocks of the plan and asks here for the statements inside.

local emit = {}
local Emit = {}
Emit.__index = Emit

local function identifier(text) return (text:gsub("%[(%d+)%]", "%1"):gsub("[^%w_]", "_")) end

--- plan: schedule.plan's; backend: spellings; fields: says where a field lives (fields.lua); options: formulas, what the reader
-- is told of a value by its name; loops, those of the file (outline.lua).
function emit.new(plan, backend, fields, options)
  local e = setmetatable({ plan = plan, backend = backend, fields = fields, formulas = options.formulas, loops = options.loops,
                           names = {}, taken = {}, said = {} }, Emit)
  for _, word in ipairs(backend.reserved) do e.taken[word] = "reserved" end
  for _, word in ipairs(backend.counts) do e.taken[word] = "count" end
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

--- Where the rows of a per-sample value start: pointer name, first row, and the array of the plan if it is one.
function Emit:rows(v)
  if v.op == "input" then return self:pointer(v.name), 0 end
  if v.op == "index" or v.op == "slice" then
    local base, row, array = self:rows(self.plan.values[v.args[1]])
    return base, row + v.attrs[1], array
  end
  return self:array_name(v.storage.array), v.storage.row, v.storage.array
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
  local base, row, array = self:rows(v)
  return b.load(base, row, v.size > 1, array)
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

--- Feature i of a shared vector made of scalars, one by one, or of one among zeros; nil if v is neither.
function Emit:gathered(v, args)
  if v.op ~= "pad" and v.op ~= "concat" then return nil end
  for _, a in ipairs(v.args) do if #self.plan.values[a].dims > 0 then return nil end end
  local at = v.op == "pad" and v.attrs[1] or 0
  local text = v.op == "pad" and self.backend.number(0) or args[#args]
  for k = v.op == "pad" and 1 or #args - 1, 1, -1 do
    text = self.backend.op("select", { ("(i == %d)"):format(at + k - 1), args[k], text }, "real")
  end
  return text
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
    local text = self:gathered(v, args) or self.backend.spell[v.op] and self.backend.op(v.op, args, "real")
    if not text then error(("'%s' of a shared vector is beyond this backend"):format(v.op), 0) end
    local name = self:fresh("row" .. v.id .. "_" .. block.number)
    block.rows[v.id] = name
    table.insert(block.row_order, { name = name, text = text })
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

--- Declares the scalars a function uses, in double, and their rounded copies.
function Emit:declare_scalars(out)
  for _, s in ipairs(self:scalars()) do
    out:add(1, "const double %s = %s;%s", s.name, s.text, s.note and (" /* %s */"):format(s.note) or "")
  end
  for _, r in ipairs(self.rounded_order) do out:add(1, "const real %s = (real)%s;", r.name, r.of) end
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

--- The values that are inputs, by field.
function Emit:inputs()
  local inputs = {}
  for _, v in pairs(self.plan.values) do if v.op == "input" then inputs[v.name] = v end end
  return inputs
end

--- The feature a statement of the block is about: the variable of the loop over features, if there is one.
local function feature(block) return block.domain > 1 and "i" or "0" end

--- y_o = sum_j w[o, j] x_j for the feature of a block: one chain of statements.
local function inner_product(e, v, block, lane)
  local plan, b = e.plan, e.backend
  local w, x = plan.values[v.args[1]], plan.values[v.args[2]]
  local transposed = v.op == "matvec_t"
  local rows, cols = w.dims[1], w.dims[2]
  if w.op ~= "input" then error("the matrix of a product must be a parameter", 0) end
  local matrix, from, row, array = e:pointer(w.name), e:rows(x)
  local name, i = e:name(v), feature(block)
  local function weight(j)
    if transposed then return ("%s[%d + %s]"):format(matrix, j * cols, i) end
    return ("%s[%s * %d + %d]"):format(matrix, i, cols, j)
  end
  for j = 0, (transposed and rows or cols) - 1 do
    local factors = { weight(j), b.load(from, row + j, false, array), name }
    lane[#lane + 1] = j == 0 and ("real %s = %s * %s;"):format(name, factors[1], factors[2])
                      or ("%s = %s;"):format(name, b.op("fma", factors, "real"))
  end
end

--- The statements of a lane for value v; reductions over the features go into variables that parts.reduce lists.
local function lane_statement(e, v, block, parts)
  local plan, b = e.plan, e.backend
  local lane, reduce = parts.lane, parts.reduce
  local function operand(i) return e:operand(plan.values[v.args[i]], block) end
  local function declare(text) lane[#lane + 1] = ("const real %s = %s;"):format(e:name(v), text) end
  local function reduction(kind, type, init, name)
    name = name or e:array_name(v.storage.array)
    reduce[#reduce + 1] = { kind = kind, type = type, init = init, name = name }
    return b.lane(name), name
  end
  if v.op == "matvec" or v.op == "matvec_t" then
    inner_product(e, v, block, lane)
  elseif v.op == "sum" then
    lane[#lane + 1] = ("%s += (double)%s;"):format(reduction("sum", "double", "0"), operand(1))
  elseif v.op == "rowmax" then
    local m, x = reduction("max", "real", "-LRNDE_HUGE"), operand(1)
    lane[#lane + 1] = ("%s = %s > %s ? %s : %s;"):format(m, x, m, x, m)
  elseif v.op == "argmax" then
    local m, name = reduction("argmax", "real", "0")
    local best = reduction("best", "real", "-LRNDE_HUGE", e:fresh(name .. "_best", v.id))
    local x = operand(1)
    lane[#lane + 1] = ("if (%s > %s) { %s = %s; %s = (real)%s; }"):format(x, best, best, x, m, feature(block))
  elseif v.op == "pick" then
    local base, row, array = e:rows(plan.values[v.args[1]])
    declare(b.load(base, ("(%d + (int)%s)"):format(row, operand(2)), false, array))
  elseif v.op == "scatter" then
    declare(("%s == (int)%s ? %s : 0"):format(feature(block), operand(2), operand(1)))
  elseif v.op ~= "index" and v.op ~= "slice" and v.op ~= "batch_sum" then
    local args = {}
    for i = 1, #v.args do args[i] = operand(i) end
    if not b.spell[v.op] then error(("the %s backend has no spelling for '%s'"):format(b.name, v.op), 0) end
    declare(b.op(v.op, args, "real"))
  end
  local array = v.storage and v.storage.array
  if array and not array.lane and v.op ~= "batch_sum" then
    parts.written[e:array_name(array)] = true
    lane[#lane + 1] = ("%s %s %s;"):format(b.load(e:array_name(array), v.storage.row, v.size > 1, array),
                                           array.output and array.output.accumulate and "+=" or "=", e:name(v))
  end
end

local LONG <const> = 64       -- straight-line code of so many values is worth a call, if it occurs again

--- A map block: formulas in front; lane, the statements of a lane; reduce, the reductions over features
-- { kind = "sum" | "max" | "argmax" | "best", type, init, name }, each "best" belonging to the "argmax" before it; written, the
-- names of the arrays written; repeats, whether stages or kernels may have this text in common: loops over features that are no
-- formula of the method, and long straight-line code, such as a right-hand side of many equations.
function Emit:map_statements(block)
  local parts = { formulas = {}, lane = {}, reduce = {}, written = {} }
  local long = block.domain == 1 and #block.values >= LONG
  for _, v in ipairs(block.values) do
    local formula = self:formula(v)
    if formula then table.insert((block.domain > 1 or long) and parts.formulas or parts.lane, ("/* %s */"):format(formula)) end
    lane_statement(self, v, block, parts)
  end
  parts.repeats = #parts.reduce == 0 and (long or block.domain > 1 and #parts.formulas == 0)
  return parts
end

--- What a map block adds over the batch: { id, type, text (of a lane), array and at (where it is added), rows (at + i) }.
function Emit:batch_sums(block)
  local plan, list = self.plan, {}
  for _, v in ipairs(block.values) do
    local of = v.op == "batch_sum" and plan.values[v.args[1]]
    for _, p in ipairs(of and plan.partials or {}) do
      if p.value == v.id then
        list[#list + 1] = { id = v.id, type = "real", text = self:operand(of, block), array = "partial", at = p.at,
                            rows = of.size > 1 }
      end
    end
    for _, s in ipairs(of and plan.sums or {}) do
      if s.value == v.id then
        local array = of.storage and of.storage.array
        local in_lane = array and array.lane
        list[#list + 1] = { id = v.id, type = "double", array = "sums", at = s.index,
                            text = in_lane and self.backend.lane(self:array_name(array))
                                   or "(double)" .. self:operand(of, block) }
      end
    end
  end
  return list
end

--- The shared phase for element e: its statements, the pointers they use { name, field, writable }, and which of the
-- kernel's sums they add to, in variables s0, s1, ...
function Emit:shared_statements()
  local plan, b = self.plan, self.backend
  local shared = plan.shared
  local body, local_name, pointers, sums = {}, {}, {}, {}
  local function pointer(field, writable)
    if not pointers[field] then
      pointers[field] = self:fresh(self.fields:pretty(field), field)
      pointers[#pointers + 1] = { name = pointers[field], field = field, writable = writable }
    end
    return pointers[field]
  end
  local function operand(id)
    local v = plan.values[id]
    if v.op == "const" then return b.number(v.number) end
    if #v.dims == 0 then return self:scalar_operand(v) end
    if local_name[id] then return local_name[id] end
    if shared.loads[id] then
      local_name[id] = self:fresh("p" .. id, id)
      body[#body + 1] = ("real %s = 0;"):format(local_name[id])
      body[#body + 1] = "for (int32_t w = 0; w < a->workers; w++)"
      body[#body + 1] = ("    %s += ((const real *)a->partial)[w * a->partial_stride + %d + e];"):format(
        local_name[id], shared.loads[id])
    elseif v.op == "input" then
      local_name[id] = ("%s[e]"):format(pointer(v.name))
    else
      local args = {}
      for i, a in ipairs(v.args) do args[i] = operand(a) end
      if not b.spell[v.op] then error(("'%s' of a shared vector is beyond the shared phase"):format(v.op), 0) end
      local_name[id] = self:name(v)
      body[#body + 1] = ("const real %s = %s;"):format(local_name[id], b.op(v.op, args, "real"))
    end
    return local_name[id]
  end
  for _, v in ipairs(shared.order) do operand(v.id) end
  for _, o in ipairs(shared.outputs) do
    local result = operand(o.value)                               -- may add lines of its own
    body[#body + 1] = ("%s[e] = %s;"):format(pointer(o.field, true), result)
  end
  for _, s in ipairs(shared.sums) do
    sums[s.index] = true
    local result = operand(s.value)
    body[#body + 1] = ("s%d += (double)%s;"):format(s.index, result)
  end
  return body, pointers, sums
end

--- Forgets which scalars are declared: a new function begins.
function Emit:begin_function() self.used_scalars, self.rounded, self.rounded_order = {}, {}, {} end

return emit
