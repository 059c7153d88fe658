--- Contracts: which fields a table must and may have, and the messages when it does not keep to them.
--
-- A contract maps a field to its type: "integer", any name that type() gives, alternatives "integer|table"; a "?" at
-- the end makes it optional. Fields it does not name are errors, so that a misspelt option is never ignored in silence.

local host = require "host"

local contract = {}

--- Raises the user's error about a field of a file; the message is a format and its arguments.
function contract.fail(file, field, message, ...)
  host.fail(("%s:%s: error: %s"):format(file, field, message:format(...)))
end

--- The names of a keyed table, sorted.
function contract.names(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = tostring(name) end
  table.sort(names)
  return names
end

--- "; did you mean 'x'?" for the nearest of the names, or "".
function contract.suggestion(word, names)
  local nearest = host.nearest(word, names)
  return nearest and ("; did you mean '%s'?"):format(nearest) or ""
end

local function type_of(value) return math.type(value) == "integer" and "integer" or type(value) end

local function has_type(value, alternatives)
  for alternative in alternatives:gmatch "%a+" do
    if type(value) == alternative or type_of(value) == alternative then return true end
  end
  return false
end

--- Returns the table if it keeps the contract. `parent` is the field of the file that holds it, nil for the file itself.
function contract.check(t, fields, file, parent)
  local prefix = parent and parent .. "." or ""
  if type(t) ~= "table" then host.fail(("%s: error: must return a table, not a %s"):format(file, type(t))) end
  local known = contract.names(fields)
  for _, name in ipairs(contract.names(t)) do
    if not fields[name] then contract.fail(file, prefix .. name, "unknown field%s", contract.suggestion(name, known)) end
  end
  for _, name in ipairs(known) do
    local alternatives, optional = fields[name]:match "^([%a|]+)(%??)$"
    local value = t[name]
    if value == nil and optional == "" then host.fail(("%s: missing field '%s%s'"):format(file, prefix, name)) end
    if value ~= nil and not has_type(value, alternatives) then
      contract.fail(file, prefix .. name, "must be of type %s, not %s", alternatives:gsub("|", " or "), type_of(value))
    end
  end
  return t
end

return contract
