--- What a model file gets from require "lrnde": the words of the language.
--
-- Layers, losses and optimizers are the files of their folders; a word that is none of these is an error naming the
-- nearest.  A component is a word or a call: "tsit5" is L.tsit5 {}.

local contract = require "language.contract"
local host = require "host"
local network = require "language.network"
local registry = require "language.registry"
local schedules = require "language.schedules"
local tableau = require "language.tableau"
local value = require "language.value"

local vocabulary = {}

vocabulary.losses = registry.open("losses", {
  name = "string", doc = "string", options = "table", per_sample = "function", needs_label = "boolean",
  default_data = "string?", metric = "table?" })
vocabulary.optimizers = registry.open("optimizers", {
  name = "string", doc = "string", options = "table", slots = "integer", update = "function" })
vocabulary.sensitivities = registry.open("sensitivities", {
  name = "string", doc = "string", kernels = "function?", adjoint = "function?" })
vocabulary.regularizers = registry.open("regularizers", {
  name = "string", doc = "string", kernels = "function", stiffness = "function?" })

local made_by = setmetatable({}, { __mode = "k" })

--- Is x a component of that kind, made by L.<name> { ... }?
function vocabulary.is(x, kind) return made_by[x] ~= nil and made_by[x].kind == kind end

--- The name of a component: itself, if it was written as a word.
function vocabulary.name(x) return made_by[x] and made_by[x].name or x end

local function component(kind, name, fields)
  return function(o)
    o = o == nil and {} or o
    if type(o) ~= "table" then error(("L.%s takes a table"):format(name), 0) end
    if fields then
      local known = contract.names(fields)
      for key in pairs(o) do
        if type(key) == "string" and fields[key] == nil then
          error(("L.%s: unknown option '%s'%s"):format(name, key, contract.suggestion(key, known)), 0)
        end
      end
    end
    made_by[o] = { kind = kind, name = name }
    return o
  end
end

local function add_math(L)
  for name in pairs(value.activations) do L[name] = value.activations[name] end
  for _, name in ipairs { "exp", "log", "log1p", "sqrt", "sin", "cos", "abs", "sign", "max", "min", "lt", "le", "eq", "sum",
                          "concat", "stop" } do
    L[name] = value[name]
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
      for _, x in ipairs { ... } do if value.is(x) then return symbolic(...) end end
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
  for _, name in ipairs(vocabulary.losses:names()) do L[name] = component("loss", name) end
  for _, name in ipairs(vocabulary.optimizers:names()) do
    L[name] = component("optimizer", name, vocabulary.optimizers:get(name).options)
  end
  for _, name in ipairs(vocabulary.sensitivities:names()) do L[name] = component("sensitivity", name, {}) end
  for _, name in ipairs(vocabulary.regularizers:names()) do L[name] = component("regularizer", name) end
  for _, name in ipairs(tableau.names()) do L[name] = component("method", name, {}) end
  for _, reader in ipairs { "idx", "csv" } do L[reader] = component("data", reader) end
  L.ode = component("ode", "ode")
  L.glorot = function(gain) return { kind = "glorot", a = gain or 1 } end
  L.uniform = function(a, b) return { kind = "uniform", a = a, b = b } end
  L.option = function(name, default)
    used[name] = true
    if options[name] ~= nil then return options[name] end
    return default
  end
  local known = contract.names(L)
  setmetatable(L, { __index = function(_, name)
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
