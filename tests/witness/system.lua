--- A model's right-hand side and loss in complex arithmetic, by the reference evaluator: what witnesses step with.
--
-- Nothing of the generator's derivatives, steppers, schedules or emitted code takes part.  Vectors are those of vector.lua,
-- samples one after another; parameters are the flat list of lrnde-solve --params.

local dual = require "witness.dual"
local head = require "head"
local kernel = require "kernel"
local model = require "language.model"
local vector = require "witness.vector"

local system = {}
local System = {}
System.__index = System

--- options: method = name, set = { "KEY=VALUE", ... }, as for the tools.
function system.load(path, options)
  local settings = {}
  for i, text in ipairs(options.set or {}) do settings[i] = { text:match "^(.-)=(.*)$" } end
  local m = model.load(path, { method = options.method, set = settings })
  local rhs = kernel.new("rhs", m.params)
  m.stepper.kernel("rhs", m.system, m.tab, m.params, rhs)
  return setmetatable({ m = m, tab = m.tab, rhs = rhs.graph }, System)
end

--- The model's own numbers for its parameters; networks, which start at random, get some of moderate size.
function System:parameters()
  local p = {}
  for _, leaf in ipairs(self.m.params.list) do
    for i = 1, leaf.size do
      local init = leaf.init
      p[#p + 1] = init.values and init.values[i] or leaf.key_rank < 2 and init.kind == "constant" and init.a ~= 0 and init.a
                  or 0.9 * math.sin(1.7 * #p + 1)
    end
  end
  return p
end

--- Parameters p as the evaluator's inputs: two tables, of real and of imaginary parts, by name.
function System:inputs(p)
  local re, im = {}, {}
  for _, leaf in ipairs(self.m.params.list) do
    local name, first, last = "params." .. leaf.name, leaf.offset + 1, leaf.offset + leaf.size
    re[name], im[name] = table.move(p.re, first, last, 1, {}), table.move(p.im, first, last, 1, {})
  end
  return re, im
end

--- u0 and the constants of the solve (a list) for parameters p, from the inputs `data` at the first time, by name.
function System:start(p, data)
  self.init = self.init or head.kernels(self.m).init.graph
  local re, im = self:inputs(p)
  re.t = { 0 }
  self:add_data(re, data)
  local batch = #re["data[0]"] // self.m.data.inputs[1].size
  local out, constants = self.init:eval(re, batch, im), {}
  for i = 1, #self.m.constants do constants[i] = out[("out[%d]"):format(i)] end
  return out["out[0]"], constants
end

function System:add_data(re, data)
  for i, input in ipairs(self.m.data.inputs) do re[("data[%d]"):format(i - 1)] = data[input.name] end
end

--- f(t, u) for parameters p and constants of the solve, a list of vectors in the order of their names.
function System:field(p, constants)
  local re, im = self:inputs(p)
  for i, constant in ipairs(constants or {}) do
    re[("constants[%d]"):format(i - 1)], im[("constants[%d]"):format(i - 1)] = constant.re, constant.im
  end
  return function(t, u)
    re.t, re["carry[0]"], im["carry[0]"] = { t }, u.re, u.im
    return self.rhs:eval(re, #u.re // self.m.state, im)["out[0]"]
  end
end

--- The model's loss of the states us[i] at times[i], data[i] the named inputs there; a dual number.
function System:loss(p, us, times, data)
  self.head = self.head or head.kernels(self.m).head.graph
  local loss = dual(0, 0)
  local re, im = self:inputs(p)
  for i, u in ipairs(us) do
    local batch = #u.re // self.m.state
    re.t, re.weight, re["in[0]"], im["in[0]"] = { times[i] }, { 1 / (batch * #times) }, u.re, u.im
    self:add_data(re, data[i])
    local sums = self.head:eval(re, batch, im)
    for q, term in ipairs(self.m.terms) do
      local sum = sums[("sums[%d]"):format(q - 1)]
      loss = loss + term.weight * dual(sum.re[1], sum.im[1] / vector.tiny)
    end
  end
  return loss
end

return system
