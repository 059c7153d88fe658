--- A model file, loaded, checked and completed: what the rest of the generator works on.
--
--   name, file, hash, precision, accumulate, matmul, tile
--   params (params.lua), data (data.lua), constants { {name, size}.. }, state, state_names
--   system      the initial value problem: { components, constants, rhs, diffusion or nil } (steppers/)
--   stochastic  a stochastic differential equation: L.sde, with a diffusion
--   tab, stepper, sensitivity { name, module, options, store }, regularize (a checked table or nil)
--   outputs(k, u, t) -> { {name, value}.. };  terms { {name, loss, of, data, weight}.. }, metrics
--   solver { atol, atol_shares, rtol, t0, t1, tspan_data, h, max_steps }, saveat { list | nil, from_data }
--   u0 (list of numbers or nil), train

local contract = require "language.contract"
local data = require "language.data"
local derive = require "derive"
local host = require "host"
local kernel = require "kernel"
local network = require "language.network"
local override = require "language.override"
local params = require "language.params"
local regularization = require "language.regularization"
local schedules = require "language.schedules"
local settings = require "language.settings"
local sensitivity = require "language.sensitivity"
local solver = require "language.solver"
local terms = require "language.terms"
local trace_check = require "language.trace_check"
local value = require "language.value"
local vocabulary = require "language.vocabulary"

local model = {}

local fields = {
  name = "string", precision = "string?", accumulate = "string?", matmul = "string?", data = "table?", params = "table?",
  state = "integer|table?", context = "function?", u0 = "table|function?", dynamics = "table|function",
  saveat = "number|table|string?", output = "table|function?", loss = "table?", metrics = "table?", solver = "table",
  sensitivity = "string|table?", regularize = "boolean|table?", train = "table?",
}

-- Those of a stochastic equation; `drift` is another word for its dynamics.
local sde_fields = { diffusion = "table|function", drift = "table|function?" }
for name, kind in pairs(fields) do sde_fields[name] = name == "dynamics" and kind .. "?" or kind end

--- p, as the model's functions see it in kernel k at time t.
local function bind_params(m, k, t)
  if m.params_list then return k:param "params" end
  local p = {}
  for _, name in ipairs(contract.names(m.spec.params or {})) do
    local declared = m.spec.params[name]
    p[name] = network.is(declared) and network.bind(declared, name, k, t) or k:param(name)
  end
  return setmetatable(p, { __index = function(_, name)
    error(("there is no parameter '%s'; known: %s"):format(tostring(name), table.concat(contract.names(p), ", ")), 0)
  end })
end

-- A list of finite numbers, and of nothing else.
local function is_numbers(x)
  if type(x) ~= "table" or getmetatable(x) or #x == 0 then return false end
  for i = 1, #x do if not contract.is_finite(x[i]) then return false end end
  return true
end

--- Numbers, lists of numbers and networks of `params`, and networks given directly as dynamics or outputs.
local function declare_params(m)
  local list = params.new()
  local spec = m.spec.params or {}
  if #spec > 0 then
    for i = 1, #spec do
      if not contract.is_finite(spec[i]) then
        m:fail("params", "entry %d is a %s; a list holds numbers, a table of names may hold networks", i,
               contract.type_of(spec[i]))
      end
    end
    m.params_list = true
    list:add { name = "params", dims = { #spec }, init = { kind = "values", values = spec } }
  else
    for _, name in ipairs(contract.identifiers("params", spec)) do
      local x = spec[name]
      if network.is(x) then
        network.declare(x, name, list)
      elseif contract.is_finite(x) then
        list:add { name = name, dims = {}, init = { kind = "constant", a = x } }
      elseif is_numbers(x) then
        list:add { name = name, dims = { #x }, init = { kind = "values", values = x } }
      else
        m:fail("params." .. name, "must be a finite number, a list of them or a network")
      end
    end
  end
  for _, field in ipairs { m.drift, m.stochastic and "diffusion" or nil } do
    if network.is(m.spec[field]) then
      network.declare(m.spec[field], field, list)
    elseif type(m.spec[field]) ~= "function" then
      m:fail(field, "must be a function of u, t and p, or a network")
    end
  end
  if network.is(m.spec.output) then m:fail("output", "has names: output = { y = L.dense { ... } }") end
  if type(m.spec.output) == "table" then
    for _, name in ipairs(contract.identifiers("output", m.spec.output)) do
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

--- Raises the user's error about what the function in a field gives, at the line where it begins.
function Model:fail_at(field, message, ...)
  local fn = self.spec[field]
  if type(fn) ~= "function" then self:fail(field, message, ...) end
  host.fail(("%s:%d: error: %s %s"):format(self.file, debug.getinfo(fn, "S").linedefined, field, message:format(...)))
end

--- The name in a registry of a component of a kind, written as a word or as L.<name> { ... }.
function Model:word(field, kind, registry, given)
  local word = vocabulary.name(given, kind)
  if not word then self:fail(field, "must be a%s %s, by name or as L.<name> {}", kind:match "^[aeiou]" and "n" or "", kind) end
  local name, message = registry:find(word)
  return name or self:fail(field, "%s", message)
end

--- Calls one of the user's functions under the sandbox's limits.
function Model:call(fn, ...) return host.guarded(fn, ...) end

--- What the user's function in a field gave, or a part of it, as a vector in kernel k.
function Model:vector(k, result, field, part)
  local ok, v = pcall(value.lift, k.graph, result)
  if not ok then self:fail_at(field, "gives %s%s", part and part .. ": " or "", v) end
  return value.spread(value.rank(v) == 0 and value.concat(v) or v)
end

--- The table of named values that the user's function in a field gave, as { name, value } in the order of the names.
function Model:named_vectors(k, given, field)
  if type(given) ~= "table" or value.is(given) or next(given) == nil then
    self:fail_at(field, "must give a table of named values")
  end
  local list = {}
  for i, name in ipairs(contract.identifiers(field, given)) do
    list[i] = { name = name, value = self:vector(k, given[name], field, name) }
  end
  return list
end

--- A result of the user's dynamics or u0 as a vector of the state.
function Model:state_vector(k, result, field)
  if type(result) == "table" and not value.is(result) and self.state_names and #result == 0 then
    local list = {}
    for i, name in ipairs(self.state_names) do
      if rawget(result, name) == nil then self:fail_at(field, "gives no '%s'", name) end
      list[i] = result[name]
    end
    for name in pairs(result) do
      if not self.state_index[name] then
        self:fail_at(field, "gives '%s'%s", tostring(name), contract.suggestion(tostring(name), self.state_names))
      end
    end
    result = list
  end
  local v = self:vector(k, result, field)
  if value.size(v) ~= self.state then self:fail_at(field, "gives %d numbers for a state of %d", value.size(v), self.state) end
  return v
end

--- The drift or the diffusion, whichever the field gives.
function Model:rate(field, k, u, t, constants)
  u = self.state_names and value.named(u, self.state_names) or u
  local given = self.spec[field]
  if network.is(given) then return self:state_vector(k, network.bind(given, field, k, t)(u), field) end
  local x = {}
  for i, constant in ipairs(self.constants) do
    x[constant.name] = constant.size == 1 and constants[i][1] or constants[i]
  end
  return self:state_vector(k, self:call(given, u, t, bind_params(self, k, t), x), field)
end

--- u0 and the constants, from the data: writes them to out[0], out[1..] in kernel k; returns the values.
function Model:start(k)
  local d, p = data.bind(self.data, k), bind_params(self, k, k:scalar "t")
  local values = {}
  if type(self.spec.u0) == "function" then
    values[1] = self:state_vector(k, self:call(self.spec.u0, d, p), "u0")
  end
  for _, constant in ipairs(self:context(k, d)) do values[#values + 1] = constant.value end
  return values
end

--- The constants of a sample, { name, value }..
function Model:context(k, d)
  if not self.spec.context then return {} end
  return self:named_vectors(k, self:call(self.spec.context, d), "context")
end

--- The named outputs of the state u at a save time.
function Model:outputs(k, u, t)
  u = self.state_names and value.named(u, self.state_names) or u
  local output = self.spec.output
  if output == nil then return { { name = "u", value = u } } end
  local given
  if type(output) == "function" then
    given = self:call(output, u, t, bind_params(self, k, t))
  else
    given = {}
    for _, name in ipairs(contract.names(output)) do given[name] = network.bind(output[name], name, k, t)(u) end
  end
  return self:named_vectors(k, given, "output")
end

local function load_state(m)
  local spec = m.spec
  local state = spec.state
  if type(state) == "table" then
    m.state_names, m.state = state, #state
    m.state_index = {}
    for i, name in ipairs(state) do
      if type(name) ~= "string" then m:fail("state", "name %d is a %s", i, type(name)) end
      if m.state_index[name] then m:fail("state", "two features are called '%s'", name) end
      if value.has(name) then m:fail("state", "'%s' cannot name a feature: values have it", name) end
      m.state_index[name] = i
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
    if not is_numbers(spec.u0) then m:fail("u0", "must be a list of finite numbers, or a function of the data") end
    if #spec.u0 ~= m.state then m:fail("u0", "has %d numbers for a state of %d", #spec.u0, m.state) end
    m.u0 = spec.u0
  elseif spec.u0 == nil then
    m:fail("u0", "missing: a list of numbers, or a function of the data")
  end
end

local function load_train(m)
  local train = m.spec.train
  if not train then return end
  contract.check(train, { optimizer = "table|string?", batch = "integer|string?", steps = "integer?", evaluate_every = "integer?",
                          evaluate_trajectories = "integer?" }, m.file, "train")
  local o = train.optimizer or "adam"
  local name = m:word("train.optimizer", "optimizer", vocabulary.optimizers, o)
  vocabulary.check_options(o)
  local module = vocabulary.optimizers:get(name)
  local options = settings.complete(module.options, type(o) == "table" and o or {},
                                    function(option, ...) m:fail("train.optimizer." .. option, ...) end)
  local lr = schedules.of(options.lr) or m:fail("train.optimizer.lr", "must be a number or a schedule")
  if type(train.batch) == "string" and train.batch ~= "all" then m:fail("train.batch", "must be a whole number or \"all\"") end
  for _, key in ipairs { "batch", "steps", "evaluate_every", "evaluate_trajectories" } do
    if math.type(train[key]) == "integer" and not (train[key] >= 1 and train[key] < 1 << 31) then
      m:fail("train." .. key, "%d is not between 1 and %d", train[key], (1 << 31) - 1)
    end
  end
  if train.evaluate_trajectories and not m.stochastic then
    m:fail("train.evaluate_trajectories", "the model is not stochastic")
  end
  m.train = { optimizer = name, module = module, options = options, lr = lr,
              batch = math.type(train.batch) == "integer" and train.batch or 0, steps = train.steps or 1000,
              evaluate_every = train.evaluate_every or 0, evaluate_trajectories = train.evaluate_trajectories or 0 }
end

--- Methods for additive noise want a diffusion of t alone.
local function check_additive(m)
  local k = kernel.new("probe", m.params)
  local u = k:component("carry[0]", m.system.components[1])
  local g = m.system.diffusion(k, { u }, k:scalar "t", m.stepper.read_constants(k, m.system))[1]
  if derive.vjp({ { g, g } }, { u })[1] then
    m:fail_at("diffusion", "depends on u, but %s is for additive noise; use a method of the family sri", m.tab.name)
  end
end

--- Samples side by side in memory: a vector's worth for equations and small networks; where layers are matrix products some
-- vectors, so that what a step reads stays in the cache of a core; many where the products are calls of the matrix library: of
-- very large matrices, for which it is faster, and of those accumulated in double.
local function choose_tile(m, options)
  local layer, very_large, wide, worth_blocks = 4096, 1 << 21, 32, 256
  local largest, double = m.params:largest_matrix(), m.precision == "f32" and m.accumulate == "double"
  local vector = m.precision == "f32" and 16 or 8
  m.tile = options.tile or (largest >= (double and layer or very_large) and 128 or largest >= layer and 32 or vector)
  m.outer_size = m.tile >= wide and worth_blocks or layer
  m.product_size = double and m.outer_size or very_large
  m.gathers = m.tile >= wide and not double                       -- outer products added to the same place are one, in blocks
  if m.tile < 1 or m.tile > 4096 or m.tile & (m.tile - 1) ~= 0 then
    host.fail(("error: --tile %d is not a power of two up to 4096"):format(m.tile))
  end
end

--- Loads the model file at path.  options: method, set = { {key, value}.. }, tile.
function model.load(path, options)
  local settings, used = {}, {}
  local environment = vocabulary.environment(settings, used)
  for _, pair in ipairs(options.set or {}) do settings[pair[1]] = override.parse(pair[2], environment.require "lrnde") end
  local text, message = host.read(path)
  if not text then host.fail(("error: %s"):format(message)) end
  local spec = host.sandbox(path, environment)
  local m = setmetatable({ file = path, hash = host.sha256(text):sub(1, 16) }, Model)
  if not vocabulary.is(spec, "model") then host.fail(("%s: error: must return L.ode { ... } or L.sde { ... }"):format(path)) end
  for _, pair in ipairs(options.set or {}) do
    if not used[pair[1]] then override.apply(spec, pair[1], settings[pair[1]]) end
  end
  m.stochastic = vocabulary.name(spec, "model") == "sde"
  m.spec = contract.check(spec, m.stochastic and sde_fields or fields, path)
  m.drift = spec.drift and "drift" or "dynamics"
  if spec.drift and spec.dynamics then m:fail("drift", "given beside 'dynamics', which is the same") end
  m.name = spec.name
  if not m.name:match "^%a[%w_]*$" or #m.name > 64 then
    m:fail("name", "'%s' is not a C identifier of at most 64 letters", m.name)
  end
  m.precision, m.accumulate = spec.precision or "f64", spec.accumulate or "native"
  if m.precision ~= "f32" and m.precision ~= "f64" then m:fail("precision", "must be \"f32\" or \"f64\"") end
  if m.accumulate ~= "native" and m.accumulate ~= "double" then m:fail("accumulate", "must be \"native\" or \"double\"") end
  m.matmul = spec.matmul       -- what tensor cores do, where there are any; nil: what is fastest and as exact as without them
  if m.matmul and m.matmul ~= "native" and m.matmul ~= "3xtf32" and m.matmul ~= "tf32" then
    m:fail("matmul", "must be \"native\", \"3xtf32\" or \"tf32\"")
  elseif m.matmul and m.matmul ~= "native" and (m.precision ~= "f32" or m.accumulate ~= "native") then
    m:fail("matmul", "'%s' is of products of f32 that are accumulated in f32", m.matmul)
  end
  if spec.data and not vocabulary.is(spec.data, "data") then m:fail("data", "must be a reader, such as L.idx { ... }") end
  if spec.data then vocabulary.check_options(spec.data) end
  m.data = data.declare(spec.data and vocabulary.name(spec.data, "data"), spec.data)
  load_state(m)
  declare_params(m)
  solver.load(m, options)
  m.sensitivity = sensitivity.load(m)

  m.constants = {}
  local k = kernel.new("probe", m.params)
  for i, constant in ipairs(m:context(k, data.bind(m.data, k))) do
    m.constants[i] = { name = constant.name, size = value.size(constant.value) }
  end
  m.system = {
    name = "forward", constants = m.constants,
    components = { { name = "u", kind = "sample", size = m.state, atol_shares = m.solver.atol_shares } },
    rhs = function(k, u, t, constants) return { m:rate(m.drift, k, u[1], t, constants) } end,
  }
  if m.stochastic then
    m.system.diffusion = function(k, u, t, constants) return { m:rate("diffusion", k, u[1], t, constants) } end
  end
  local probe = kernel.new("probe", m.params)
  m.stepper.kernel("rhs", m.system, m.tab, m.params, probe)
  if m.tab.additive then check_additive(m) end
  m.params:put_first((probe:leaves()))
  trace_check.run(m)
  terms.load(m)
  load_train(m)
  m.regularize = regularization.load(m)
  choose_tile(m, options)
  return m
end

return model
