--- Graphs of numbers: what the IR's graphs offer to language/value.lua, but every op is evaluated as it is added.
--
-- So the language's functions compute with plain numbers by the same code and the same ops as they trace with.  A value
-- of rank 0 in such a graph is a plain Lua number.

local ir = require "ir"

local numbers = {}
local Numbers = {}
Numbers.__index = Numbers

--- inputs: { [field] = list } for the inputs that will be asked for.
function numbers.graph(inputs) return setmetatable({ inputs = inputs or {}, values = {}, lists = {} }, Numbers) end

function numbers.is(g) return getmetatable(g) == Numbers end

local function keep(self, info, list)
  self.values[#self.values + 1], self.lists[#self.lists + 1] = info, list
  return #self.values
end

function Numbers:const(x) return keep(self, { op = "const", kind = "shared", dims = {}, args = {} }, { x }) end

function Numbers:input(field, kind, dims)
  local list = self.inputs[field] or error("no numbers for input " .. field)
  return keep(self, { op = "input", name = field, kind = kind, dims = dims, args = {} }, list)
end

function Numbers:op(name, ids, attrs)
  local g, args, inputs = ir.graph(), {}, {}
  for i, id in ipairs(ids) do
    local field, info = "x" .. i, self.values[id]
    args[i], inputs[field] = g:input(field, info.kind, info.dims), self.lists[id]
  end
  local id = g:op(name, args, attrs)
  g:output("y", id, false)
  return keep(self, g:value(id), g:eval(inputs, 1).y.re)
end

function Numbers:value(id) return self.values[id] end

--- All elements of a value.
function Numbers:list(id) return self.lists[id] end

return numbers
