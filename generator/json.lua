--- JSON text of Lua values.  Numbers exactly; NaN and infinities, which JSON lacks, as null; keyed tables by name.

local host = require "host"

local json = {}

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t" }

--- A list is written as an array; an empty table is an array too.  json.null stands for null.
json.null = {}

function json.encode(x)
  if x == json.null or x == nil then return "null" end
  if type(x) == "boolean" then return tostring(x) end
  if type(x) == "string" then return '"' .. x:gsub('["\\\n\t]', escapes) .. '"' end
  local numbers, parts = host.json_numbers(x), {}
  if numbers then return numbers end
  if #x > 0 or next(x) == nil then
    for i, v in ipairs(x) do parts[i] = json.encode(v) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(x) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = json.encode(key) .. ":" .. json.encode(x[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- An ordered list of { key, value } as one object.
function json.object(pairs_)
  local parts = {}
  for i, pair in ipairs(pairs_) do parts[i] = json.encode(pair[1]) .. ":" .. json.encode(pair[2]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

return json
