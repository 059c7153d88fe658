--- What a model file gets from require "lrnde": the words of the language.
--
-- Layers, losses and optimizers are the files of their folders; a word that is none of these is an error naming the
-- nearest.  A component is a word or a call: "tsit5" is L.tsit5 {}.

local contract = require "language.contract"
local data = require "language.data"
local host = require "host"
local initial = require "language.initial"
local network = require "language.network"
local registry = require "language.registry"
local schedules = require "language.schedules"
local settings = require "language.settings"
local tableau = require "language.tableau"
local value = require "language.value"

local vocabulary = {}

vocabulary.losses = registry.open("losses", {
  doc = "string", options = "table", per_sample = "function", needs_label = "boolean",
  default_data = "string?", metric = "table?" })
vocabulary.optimizers = registry.open("optimizers", {                        -- options: with defaults (settings.lua)
  doc = "string", options = "table", slots = "integer", update = "function" })
vocabulary.sensitivities = registry.open("sensitivities", {                  -- likewise
  doc = "string", options = "table", kernels = "function?", start_kernels = "function?", adjoint = "function?",
  recordless = "boolean?" })                                                 -- the sweep needs no record of the forward solution
vocabulary.regularizers = registry.open("regularizers", {                    -- likewise
  doc = "string", options = "table", title = "function", missing = "function", sums = "function",
  estimate = "function", times_h = "function" })

--- The contract of an optimizer's options: the learning rate may be a schedule.
function vocabulary.optimizer_fields(name)
  local fields = settings.fields(vocabulary.optimizers:get(name).options)
  fields.lr = "number|table?"
  return fields
end

local made_by = setmetatable({}, { __mode = "k" })

--- Is x a component of that kind, made by L.<name> { ... }?
function vocabulary.is(x, kind) return x ~= nil and made_by[x] ~= nil and made_by[x].kind == kind end

--- The name of a component of a kind, itself if it was written as a word; nil if x is neither.
function vocabulary.name(x, kind)
  if type(x) == "string" then return x end
  return vocabulary.is(x, kind) and made_by[x].name or nil
end

--- Checks the options of a component again: --set may have changed them since it was made.
function vocabulary.check_options(x)
  local made = made_by[x]
  if made and made.fields then contract.options(made.name, x, made.fields) end
end

-- fields: the contract of its options; nil if whoever reads the component checks them.
local function component(kind, name, fields)
  return function(o)
    o = o == nil and {} or o
    if type(o) ~= "table" then error(("L.%s takes a table, as in L.%s { ... }"):format(name, name), 0) end
    if fields then contract.options(name, o, fields) end
    made_by[o] = { kind = kind, name = name, fields = fields }
    return o
  end
end

local function add_math(L)
  for name in pairs(value.activations) do L[name] = value.activations[name] end
  for _, name in ipairs { "exp", "log", "log1p", "sqrt", "sin", "cos", "abs", "sign", "max", "min", "lt", "le", "eq",
                          "concat", "stop" } do
    L[name] = value[name]
  end
  L.sum = function(v)                                                 -- of a sample's features, be they the same for all samples
    v = value.operand(v)
    return value.rank(v) == 0 and v or value.sum(value.spread(v))
  end
  L.gt = function(a, b) return value.lt(b, a) end
  L.ge = function(a, b) return value.le(b, a) end
  L.where = function(condition, a, b) return value.select(condition, a, b) end
end

--- math.* of the sandbox takes values as well as numbers.
local function extend_math(env)
  for _, name in ipairs { "exp", "log", "sqrt", "sin", "cos", "abs", "max", "min" } do
    local plain, symbolic = math[name], value[name]
    env.math[name] = function(...)
      local args = table.pack(...)
      for i = 1, math.max(args.n, 1) do
        if value.is(args[i]) then return symbolic(...) end
        if type(args[i]) ~= "number" then error(("math.%s of a %s"):format(name, type(args[i])), 0) end
      end
      return plain(...)
    end
  end
end

--- The environment of a model file.  options: what --set gave, as { [key] = value }; L.option marks those it used.
function vocabulary.environment(options, used)
  local L = schedules.constructors()
  add_math(L)
  L.chain = network.chain
  for _, name in ipairs(network.layers:names()) do L[name] = network.constructor(name) end
  for _, name in ipairs(vocabulary.losses:names()) do L[name] = component("loss", name, vocabulary.losses:get(name).options) end
  for _, name in ipairs(vocabulary.optimizers:names()) do
    L[name] = component("optimizer", name, vocabulary.optimizer_fields(name))
  end
  for _, name in ipairs(vocabulary.sensitivities:names()) do
    L[name] = component("sensitivity", name, settings.fields(vocabulary.sensitivities:get(name).options))
  end
  for _, name in ipairs(vocabulary.regularizers:names()) do L[name] = component("regularizer", name) end
  for _, name in ipairs(tableau.names()) do L[name] = component("method", name, {}) end
  for _, reader in ipairs(data.readers:names()) do L[reader] = component("data", reader, data.readers:get(reader).options) end
  for _, name in ipairs { "ode", "sde" } do                           -- the file's value is checked later
    L[name] = function(o) return type(o) == "table" and component("model", name)(o) or nil end
  end
  L.glorot, L.uniform = initial.glorot, initial.uniform
  L.option = function(name, default)
    used[name] = true
    if options[name] ~= nil then return options[name] end
    return default
  end
  local known = contract.names(L)
  setmetatable(L, { __index = function(_, name)
    if type(name) ~= "string" then return nil end
    error(("lrnde has no '%s'%s"):format(tostring(name), contract.suggestion(tostring(name), known)), 0)
  end })

  local env = host.safe_env()
  extend_math(env)
  env.require = function(name)
    if name ~= "lrnde" then error(("only require \"lrnde\" is available in a model file, not '%s'"):format(tostring(name)), 0) end
    return L
  end
  return env
end

return vocabulary
