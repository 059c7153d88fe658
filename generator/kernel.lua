--- A kernel under construction: its graph, and the fields of lrnde_args it reads and writes (runtime/kernel.h).
--
-- Inputs and outputs are named by field: "carry[0]", "params.dynamics.0.weight", "t".  One input value stands for a field,
-- however often it is asked for, so that derivatives with respect to it are complete.

local derive = require "derive"
local ir = require "ir"
local value = require "language.value"

local kernel = {}
local Kernel = {}
Kernel.__index = Kernel

--- params: the model's parameter list (language/params.lua), for :param().
function kernel.new(name, params)
  local k = { name = name, graph = ir.graph(), params = params, fields = {}, rhs_evals = 0, diffusion_evals = 0 }
  return setmetatable(k, Kernel)
end

--- An array a kernel argument points to.  kind "sample" or "shared"; dims {} for one number.
function Kernel:array(field, kind, dims)
  local v = self.fields[field]
  if not v then
    v = value.input(self.graph, field, kind, dims)
    self.fields[field] = v
  end
  return v
end

--- One of LRNDE_SCALARS: t, h, theta, atol, rtol, ...
function Kernel:scalar(name) return self:array(name, "shared", {}) end

--- A component-like array: component = { kind =, size = }.
function Kernel:component(field, component) return self:array(field, component.kind, { component.size }) end

--- A parameter leaf by name, with its own shape.
function Kernel:param(name)
  local leaf = self.params:leaf(name)
  return self:array("params." .. name, "shared", leaf.dims)
end

function Kernel:const(number, note) return value.const(self.graph, number, note) end

--- Writes v to a field; per-sample fields get a per-sample value of rank 1.
function Kernel:output(field, v) self.graph:output(field, v.id, false) end

--- Adds v to a field: sums and parameter gradients.
function Kernel:accumulate(field, v) self.graph:output(field, v.id, true) end

--- What cotangents are added up for: the constants of the solve (a list of values, or nil) and every parameter read so far.
-- Returns the values and the fields of their cotangents.
function Kernel:sources(constants)
  local values, fields = {}, {}
  for i, constant in ipairs(constants or {}) do
    values[i], fields[i] = constant, ("cot_constants[%d]"):format(i - 1)
  end
  local names, leaves = self:leaves()
  for i, name in ipairs(names) do values[#values + 1], fields[#fields + 1] = leaves[i], "grad." .. name end
  return values, fields
end

--- Ends a reverse kernel: the vjp of pairs_ ({ {value, cotangent}.. }).  The cotangents of the targets { {field, value}.. } are
-- written, zeros where nothing depends on them; those of the sources are added to their fields.
function Kernel:reverse(pairs_, targets, constants)
  local sources, fields = self:sources(constants)
  local wrt = {}
  for i, target in ipairs(targets) do wrt[i] = target[2] end
  table.move(sources, 1, #sources, #wrt + 1, wrt)
  local cot = derive.vjp(pairs_, wrt)
  for i, target in ipairs(targets) do self:output(target[1], cot[i] or value.zeros_like(target[2])) end
  for i, field in ipairs(fields) do if cot[#targets + i] then self:accumulate(field, cot[#targets + i]) end end
end

--- Names of the parameter leaves read so far, in the order of the model, and their values.
function Kernel:leaves()
  local names, values = {}, {}
  for _, leaf in ipairs(self.params.list) do
    local v = self.fields["params." .. leaf.name]
    if v then names[#names + 1], values[#values + 1] = leaf.name, v end
  end
  return names, values
end

return kernel
