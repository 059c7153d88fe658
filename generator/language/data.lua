--- The data of a model: what its readers give, as inputs of kernels.
--
-- An input is { name, size, series, label, classes }: features of a sample, a series of them over the save times, or a class
-- number.  runtime/io holds the readers; what each one's call in a model file may say, and the inputs it means, is in
-- readers/: sizes that are only known when data is read are declared there and checked here and by the runtime.

local contract = require "language.contract"
local registry = require "language.registry"
local value = require "language.value"

local data = {}

local readers = registry.open("readers", { doc = "string", options = "table", inputs = "function" })
data.readers = readers

--- What a reader describes its inputs with.
local columns = {}

--- Adds the columns of every group of names, as inputs: { u = { "x", "y" }, c = "feed" }.
function columns.add(list, group, what, series)
  for _, name in ipairs(contract.identifiers(what, group or {})) do
    local names = group[name]
    if type(names) == "string" then names = { names } end
    if type(names) ~= "table" or #names == 0 then error(("%s.%s: a column or a list of them is wanted"):format(what, name), 0) end
    for _, column in ipairs(names) do
      if type(column) ~= "string" then
        error(("%s.%s: a column is named by a text, not a %s"):format(what, name, type(column)), 0)
      end
    end
    list[#list + 1] = { name = name, size = #names, series = series }
  end
end

function columns.label(classes) return { name = "label", size = 1, label = true, classes = classes } end

local function sorted_keys(o)
  local keys = {}
  for key in pairs(o) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- Options as the runtime's readers get them: nested keys dotted, lists comma-separated, { key, text } sorted by key.
local function flatten(o, prefix, list)
  for _, key in ipairs(sorted_keys(o)) do
    local v = o[key]
    local name = prefix .. tostring(key)
    if type(v) == "table" and #v > 0 then
      local words = {}
      for i, word in ipairs(v) do words[i] = tostring(word) end
      list[#list + 1] = { name, table.concat(words, ",") }
    elseif type(v) == "table" then
      flatten(v, name .. ".", list)
    else
      list[#list + 1] = { name, tostring(v) }
    end
  end
  return list
end

--- reader: its name, and what its call in the model file was given; nil: a model without data.
function data.declare(reader, spec)
  if not reader then return { inputs = {}, options = {} } end
  if type(spec[1]) ~= "string" then error(("L.%s: its first entry names the data"):format(reader), 0) end
  local inputs, taken = readers:get(reader).inputs(spec, columns), {}
  for _, input in ipairs(inputs) do
    if taken[input.name] then error(("two data inputs are called '%s'"):format(input.name), 0) end
    if input.size < 1 or (input.classes or 2) < 2 then error("sizes must be positive, and classes two or more", 0) end
    if math.max(input.size, input.classes or 2) >= 1 << 31 then error("sizes and classes must be below 2^31", 0) end
    taken[input.name] = true
  end
  return { reader = reader, inputs = inputs, options = flatten(spec, "", {}) }
end

--- d, as the model's functions see it in kernel k: d.x a vector, d.u a series whose :first() is a vector.
function data.bind(declared, k)
  local d = {}
  for i, input in ipairs(declared.inputs) do
    local v = k:array(("data[%d]"):format(i - 1), "sample", { input.size })
    d[input.name] = input.series and { first = function() return v end, now = v } or v
  end
  return setmetatable(d, { __index = function(_, name)
    error(("the data have no '%s'; known: %s"):format(tostring(name), table.concat(contract.names(d), ", ")), 0)
  end })
end

--- The value of an input at the save time in hand; labels as one number.
function data.at(declared, k, name)
  for i, input in ipairs(declared.inputs) do
    if input.name == name then
      local v = k:array(("data[%d]"):format(i - 1), "sample", { input.size })
      return input.label and v[1] or v, input
    end
  end
end

return data
