--- The data of a model: what its readers give, as inputs of kernels.
--
-- An input is { name, size, series, label, classes }: features of a sample, a series of them over the save times, or a class
-- number.  runtime/io holds the readers; sizes they cannot know before they run are declared here and checked there.

local value = require "language.value"

local data = {}

-- What each reader's model-file table means: spec -> list of inputs.
local readers = {
  idx = function(o)
    return {
      { name = "x", size = o.size or 784 },
      o.label and { name = "label", size = 1, label = true, classes = o.classes or 10 } or nil,
    }
  end,
  csv = function(o)
    local list = {}
    local function add(group, series)
      for _, name in ipairs(data.sorted(group or {})) do
        local columns = group[name]
        list[#list + 1] = { name = name, size = type(columns) == "table" and #columns or 1, series = series }
      end
    end
    add(o.series, true)
    add(o.context, false)
    if o.x then add({ x = o.x }, false) end
    if o.label then list[#list + 1] = { name = "label", size = 1, label = true, classes = o.classes or 2 } end
    return list
  end,
}

function data.sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Options as the runtime's readers get them: nested keys dotted, lists comma-separated, { key, text } sorted by key.
local function flatten(o, prefix, list)
  for _, key in ipairs(data.sorted_keys(o)) do
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

function data.sorted_keys(o)
  local keys = {}
  for key in pairs(o) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- reader: "idx" or "csv", and what its call in the model file was given; nil: a model without data.
function data.declare(reader, spec)
  if not reader then return { inputs = {}, options = {} } end
  return { reader = reader, inputs = readers[reader](spec), options = flatten(spec, "", {}) }
end

--- d, as the model's functions see it in kernel k: d.x a vector, d.u a series whose :first() is a vector.
function data.bind(declared, k)
  local d = {}
  for i, input in ipairs(declared.inputs) do
    local v = k:array(("data[%d]"):format(i - 1), "sample", { input.size })
    d[input.name] = input.series and { first = function() return v end, now = v } or v
  end
  return setmetatable(d, { __index = function(_, name)
    error(("the data have no '%s'; known: %s"):format(tostring(name), table.concat(data.sorted(d), ", ")), 0)
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
