--- A model file, loaded, checked and completed: what the rest of the generator works on.
--
--   name, file, hash, precision, accumulate, tile
--   params (params.lua), data (data.lua), constants { {name, size}.. }, state, state_names
--   system      the initial value problem: { components, constants, rhs } (steppers/)
--   tab, stepper, sensitivity (name), regularize (a checked table or nil)
--   outputs(k, u, t) -> { {name, value}.. };  terms { {name, loss, of, data, weight}.. }, metrics
--   solver { atol, rtol, t0, t1, max_steps }, saveat { list | nil, from_data }, u0 (list of numbers or nil), train

local contract = require "language.contract"
local data = require "language.data"
local host = require "host"
local kernel = require "kernel"
local network = require "language.network"
local override = require "language.override"
local params = require "language.params"
local regularization = require "language.regularization"
local registry = require "language.registry"
local schedules = require "language.schedules"
local tableau = require "language.tableau"
local value = require "language.value"
local vocabulary = require "language.vocabulary"

local model = {}

-- What a family of methods offers the rest: see steppers/erk.lua.
local steppers = registry.open("steppers", {
  family = "string", doc = "string", kernel = "function", step = "function", carried_step = "function", put_step = "function",
  extra_stages = "function", error_sums = "function", put_sums = "function", finish = "function", interior = "function",
  carry_components = "function", read_carry = "function", read_constants = "function" })
model.steppers = steppers

local fields = {
  name = "string", precision = "string?", accumulate = "string?", data = "table?", params = "table?",
  state = "integer|table?", context = "function?", u0 = "table|function?", dynamics = "table|function",
  saveat = "number|table|string?", output = "table|function?", loss = "table?", metrics = "table?", solver = "table",
  sensitivity = "string|table?", regularize = "boolean|table?", train = "table?",
}

local function sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- p, as the model's functions see it in kernel k at time t.
local function bind_params(m, k, t)
  if m.params_list then return k:param "params" end
  local p = {}
  for _, name in ipairs(sorted(m.spec.params or {})) do
    local declared = m.spec.params[name]
    p[name] = network.is(declared) and network.bind(declared, name, k, t) or k:param(name)
  end
  return setmetatable(p, { __index = function(_, name)
    error(("there is no parameter '%s'; known: %s"):format(tostring(name), table.concat(sorted(p), ", ")), 0)
  end })
end

--- Numbers, lists of numbers and networks of `params`, and networks given directly as dynamics or outputs.
local function declare_params(m)
  local list = params.new()
  local spec = m.spec.params or {}
  if #spec > 0 then
    for i, x in ipairs(spec) do
      if type(x) ~= "number" then m:fail("params", "entry %d is a %s; a list holds numbers, a table of names may hold networks", i, type(x)) end
    end
    m.params_list = true
    list:add { name = "params", dims = { #spec }, init = { kind = "values", values = spec } }
  else
    for _, name in ipairs(sorted(spec)) do
      local x = spec[name]
      if network.is(x) then
        network.declare(x, name, list)
      elseif type(x) == "number" then
        list:add { name = name, dims = {}, init = { kind = "constant", a = x } }
      elseif type(x) == "table" and #x > 0 and type(x[1]) == "number" then
        list:add { name = name, dims = { #x }, init = { kind = "values", values = x } }
      else
        m:fail("params." .. name, "must be a number, a list of numbers or a network")
      end
    end
  end
  if network.is(m.spec.dynamics) then network.declare(m.spec.dynamics, "dynamics", list) end
  if type(m.spec.output) == "table" and not network.is(m.spec.output) then
    for _, name in ipairs(sorted(m.spec.output)) do
      local x = m.spec.output[name]
      if not network.is(x) then m:fail("output." .. name, "must be a network; write output as a function for anything else") end
      network.declare(x, name, list)
    end
  end
  m.params = list
end

local Model = {}
Model.__index = Model

function Model:fail(field, message, ...)
  contract.fail(self.file, field, message, ...)
end

--- Calls one of the user's functions under the sandbox's limits.
function Model:call(fn, ...) return host.guarded(fn, ...) end

--- A result of the user's dynamics or u0 as a vector of the state.
function Model:vector(k, result, what)
  if type(result) == "table" and not value.is(result) and self.state_names and #result == 0 then
    local list = {}
    for i, name in ipairs(self.state_names) do
      if result[name] == nil then self:fail(what, "gives no '%s'", name) end
      list[i] = result[name]
    end
    result = list
  end
  local v = value.lift(k.graph, result)
  if value.rank(v) == 0 then v = value.concat(v) end
  if value.size(v) ~= self.state then
    self:fail(what, "gives %d numbers for a state of %d", value.size(v), self.state)
  end
  return value.spread(v)
end

function Model:rhs(k, u, t, constants)
  u = self.state_names and value.named(u, self.state_names) or u
  local dynamics = self.spec.dynamics
  if network.is(dynamics) then return self:vector(k, self:call(network.bind(dynamics, "dynamics", k, t), u), "dynamics") end
  local x = {}
  for i, constant in ipairs(self.constants) do
    x[constant.name] = constant.size == 1 and constants[i][1] or constants[i]
  end
  return self:vector(k, self:call(dynamics, u, t, bind_params(self, k, t), x), "dynamics")
end

--- u0 and the constants, from the data: writes them to out[0], out[1..] in kernel k; returns the values.
function Model:start(k)
  local d, p = data.bind(self.data, k), bind_params(self, k, k:scalar "t")
  local values = {}
  if type(self.spec.u0) == "function" then
    values[1] = self:vector(k, self:call(self.spec.u0, d, p), "u0")
  end
  if self.spec.context then
    local given = self:call(self.spec.context, d)
    for _, name in ipairs(sorted(given)) do
      local v = value.lift(k.graph, given[name])
      values[#values + 1] = value.spread(value.rank(v) == 0 and value.concat(v) or v)
    end
  end
  return values
end

--- The named outputs of the state u at a save time.
function Model:outputs(k, u, t)
  u = self.state_names and value.named(u, self.state_names) or u
  local output, list = self.spec.output, {}
  if output == nil then return { { name = "u", value = u } } end
  local given
  if type(output) == "function" then
    given = self:call(output, u, t, bind_params(self, k, t))
  else
    given = {}
    for _, name in ipairs(sorted(output)) do given[name] = self:call(network.bind(output[name], name, k, t), u) end
  end
  if type(given) ~= "table" or value.is(given) then self:fail("output", "must return a table of named values") end
  for _, name in ipairs(sorted(given)) do
    local v = value.lift(k.graph, given[name])
    list[#list + 1] = { name = name, value = value.spread(value.rank(v) == 0 and value.concat(v) or v) }
  end
  return list
end

local function load_state(m)
  local spec = m.spec
  local state = spec.state
  if type(state) == "table" then
    m.state_names, m.state = state, #state
    for i, name in ipairs(state) do
      if type(name) ~= "string" then m:fail("state", "name %d is a %s", i, type(name)) end
    end
  elseif state then
    m.state = state
  elseif type(spec.u0) == "table" then
    m.state = #spec.u0
  else
    m:fail("state", "missing: the number of features of the state, or their names")
  end
  if m.state < 1 or m.state > 1000000 then m:fail("state", "%d is not between 1 and 1,000,000", m.state) end
  if type(spec.u0) == "table" then
    if #spec.u0 ~= m.state then m:fail("u0", "has %d numbers for a state of %d", #spec.u0, m.state) end
    m.u0 = spec.u0
  elseif spec.u0 == nil then
    m:fail("u0", "missing: a list of numbers, or a function of the data")
  end
end

local function load_terms(m)
  m.terms, m.metrics = {}, {}
  local loss = m.spec.loss
  if not loss then return end
  local given = vocabulary.is(loss, "loss") and { [vocabulary.name(loss)] = loss } or loss
  local probe = kernel.new("probe", m.params)
  local outputs = {}
  for _, o in ipairs(m:outputs(probe, probe:array("in[0]", "sample", { m.state }), probe:scalar "t")) do outputs[o.name] = o.value end
  for _, name in ipairs(sorted(given)) do
    local term = given[name]
    if not vocabulary.is(term, "loss") then m:fail("loss." .. name, "must be a loss, such as L.mse { ... }") end
    local word = vocabulary.name(term)
    local module = vocabulary.losses:get(word)
    local of = term[1]
    if not of or not outputs[of] then
      m:fail("loss", "L.%s: there is no output '%s'; known: %s", word, tostring(of), table.concat(sorted(outputs), ", "))
    end
    local target = term.data or module.default_data or of
    local v, input = data.at(m.data, probe, target)
    if not v then m:fail("loss", "L.%s: the data have no '%s'", word, target) end
    if module.needs_label and not input.label then m:fail("loss", "L.%s: '%s' is no label", word, target) end
    if module.needs_label and input.classes ~= value.size(outputs[of]) then
      m:fail("loss", "L.%s: '%s' has %d features for %d classes", word, of, value.size(outputs[of]), input.classes)
    end
    if not module.needs_label and input.size ~= value.size(outputs[of]) then
      m:fail("loss", "L.%s: output '%s' has %d features, the data '%s' %d", word, of, value.size(outputs[of]), target, input.size)
    end
    m.terms[#m.terms + 1] = { name = name, module = module, of = of, data = target, weight = term.weight or 1 }
    if module.metric then
      m.metrics[#m.metrics + 1] = { name = module.metric.name, per_sample = module.metric.per_sample, of = of, data = target }
    end
  end
end

local function load_solver(m, options)
  local solver = contract.check(m.spec.solver, { method = "string|table?", atol = "number?", rtol = "number?",
                                                 tspan = "table|string?", max_steps = "integer?" }, m.file, "solver")
  local method = options.method or solver.method or "tsit5"
  m.tab = tableau.load(vocabulary.name(method))
  m.stepper = steppers:get(m.tab.family)
  if not m.tab.err then m:fail("solver.method", "%s has no error estimate; adaptive solving needs one", m.tab.name) end
  local tspan = solver.tspan or (m.spec.data and "data") or m:fail("solver.tspan", "missing: { t0, t1 }")
  m.solver = { atol = solver.atol or 1e-6, rtol = solver.rtol or 1e-3, max_steps = solver.max_steps or 1000000,
               tspan_data = tspan == "data", t0 = 0, t1 = 1 }
  for _, key in ipairs { "atol", "rtol" } do
    if not (m.solver[key] >= 0) then m:fail("solver." .. key, "must not be negative") end
  end
  if m.solver.atol == 0 and m.solver.rtol == 0 then m:fail("solver", "atol and rtol are both zero") end
  if type(tspan) == "table" then
    if #tspan ~= 2 or type(tspan[1]) ~= "number" or type(tspan[2]) ~= "number" or tspan[1] == tspan[2] then
      m:fail("solver.tspan", "must be { t0, t1 }, two different numbers")
    end
    m.solver.t0, m.solver.t1 = tspan[1], tspan[2]
  elseif tspan ~= "data" then
    m:fail("solver.tspan", "must be { t0, t1 } or \"data\"")
  end
  local saveat = m.spec.saveat
  m.saveat = { from_data = saveat == "data" }
  if type(saveat) == "number" then
    if not (saveat > 0) then m:fail("saveat", "the interval must be positive") end
    m.saveat.list = {}
    for i = 1, math.floor((m.solver.t1 - m.solver.t0) / saveat + 1e-9) do m.saveat.list[i] = m.solver.t0 + i * saveat end
  elseif type(saveat) == "table" then
    for i, t in ipairs(saveat) do
      if type(t) ~= "number" or (i > 1 and t <= saveat[i - 1]) then m:fail("saveat", "times must be increasing numbers") end
    end
    m.saveat.list = saveat
  elseif saveat and saveat ~= "data" then
    m:fail("saveat", "must be an interval, a list of times or \"data\"")
  end
  local sensitivity = m.spec.sensitivity or "discrete"
  m.sensitivity = vocabulary.sensitivities:get(vocabulary.name(sensitivity)).name
end

local function load_train(m)
  local train = m.spec.train
  if not train then return end
  contract.check(train, { optimizer = "table|string?", batch = "integer|string?", steps = "integer?", evaluate_every = "integer?" },
                 m.file, "train")
  local o = train.optimizer or "adam"
  local name = vocabulary.name(o)
  local module = vocabulary.optimizers:get(name)
  local settings = {}
  for key, default in pairs(module.options) do settings[key] = type(o) == "table" and o[key] or default end
  local lr = schedules.of(settings.lr) or m:fail("train.optimizer.lr", "must be a number or a schedule")
  if train.batch and train.batch ~= "all" and math.type(train.batch) ~= "integer" then
    m:fail("train.batch", "must be a whole number or \"all\"")
  end
  m.train = { optimizer = name, module = module, settings = settings, lr = lr, batch = math.type(train.batch) == "integer" and train.batch or 0,
              steps = train.steps or 1000, evaluate_every = train.evaluate_every or 0 }
end

--- Samples side by side in memory: many where layers are matrix products, a vector's worth for equations.
local function choose_tile(m, options)
  local largest = 0
  for _, leaf in ipairs(m.params.list) do if #leaf.dims == 2 then largest = math.max(largest, leaf.size) end end
  m.product_size = 4096
  m.tile = options.tile or (largest >= m.product_size and 128 or m.precision == "f32" and 16 or 8)
  if m.tile < 1 or m.tile > 4096 or m.tile & (m.tile - 1) ~= 0 then
    host.fail(("error: --tile %d is not a power of two up to 4096"):format(m.tile))
  end
end

--- Loads the model file at path.  options: method, set = { {key, value}.. }, tile.
function model.load(path, options)
  local settings, used = {}, {}
  for _, pair in ipairs(options.set or {}) do settings[pair[1]] = override.parse(pair[2]) end
  local text, message = host.read(path)
  if not text then host.fail(("error: %s"):format(message)) end
  local spec = host.sandbox(path, vocabulary.environment(settings, used))
  local m = setmetatable({ file = path, hash = host.sha256(text):sub(1, 16) }, Model)
  if not vocabulary.is(spec, "ode") then m:fail("model", "the file must return L.ode { ... }") end
  for _, pair in ipairs(options.set or {}) do
    if not used[pair[1]] then override.apply(spec, pair[1], settings[pair[1]]) end
  end
  m.spec = contract.check(spec, fields, path)
  m.name = spec.name
  if not m.name:match "^%a[%w_]*$" then m:fail("name", "'%s' is not a C identifier", m.name) end
  m.precision, m.accumulate = spec.precision or "f64", spec.accumulate or "native"
  if m.precision ~= "f32" and m.precision ~= "f64" then m:fail("precision", "must be \"f32\" or \"f64\"") end
  if m.accumulate ~= "native" and m.accumulate ~= "double" then m:fail("accumulate", "must be \"native\" or \"double\"") end
  if spec.data and not vocabulary.is(spec.data, "data") then m:fail("data", "must be a reader, such as L.idx { ... }") end
  m.data = data.declare(spec.data and vocabulary.name(spec.data), spec.data)
  load_state(m)
  declare_params(m)
  load_solver(m, options)

  m.constants = {}
  if spec.context then
    local k = kernel.new("probe", m.params)
    local given = m:call(spec.context, data.bind(m.data, k))
    for _, name in ipairs(sorted(given)) do
      m.constants[#m.constants + 1] = { name = name, size = value.size(value.lift(k.graph, given[name])) }
    end
  end
  m.system = {
    name = "forward", constants = m.constants,
    components = { { name = "u", kind = "sample", size = m.state } },
    rhs = function(k, u, t, constants) return { m:rhs(k, u[1], t, constants) } end,
  }
  local probe = kernel.new("probe", m.params)
  m.stepper.kernel("rhs", m.system, m.tab, m.params, probe)
  m.params:put_first((probe:leaves()))
  load_terms(m)
  load_train(m)
  m.regularize = regularization.load(m)
  choose_tile(m, options)
  return m
end

return model
