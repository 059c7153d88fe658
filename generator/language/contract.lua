--- Contracts: which fields a table must and may have, and the messages when it does not keep to them.
--
-- A contract maps a field to its type: "integer", any name that type() gives, alternatives "integer|table"; a "?" at
-- the end makes it optional.  Numbers are finite.  Fields it does not name are errors, so that a misspelt option is never
-- ignored in silence.

local host = require "host"

local contract = {}

--- Raises the user's error about a field of a file; the message is a format and its arguments.
function contract.fail(file, field, message, ...)
  host.fail(("%s:%s: error: %s"):format(file, field, message:format(...)))
end

--- Says something about a field of a file that is no error.
function contract.warn(file, field, message, ...)
  host.warn(("%s:%s: warning: %s"):format(file, field, message:format(...)))
end

--- The names of a keyed table, sorted.
function contract.names(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = tostring(name) end
  table.sort(names)
  return names
end

--- The keys of a table of the user's own names, sorted; each must be an identifier.
function contract.identifiers(what, t)
  for name in pairs(t) do
    if type(name) ~= "string" or not name:match "^%a[%w_]*$" or #name > 64 then
      error(("%s: a name is a letter, then letters, digits and _, not '%s'"):format(what, tostring(name)), 0)
    end
  end
  return contract.names(t)
end

--- "; did you mean 'x'?" for the nearest of the names, or "".
function contract.suggestion(word, names)
  local nearest = host.nearest(word, names)
  return nearest and ("; did you mean '%s'?"):format(nearest) or ""
end

--- A number that can be computed with: neither infinite nor not a number.
function contract.is_finite(x) return type(x) == "number" and x - x == 0 end

--- What x is, as messages call it.
function contract.type_of(x)
  if math.type(x) == "integer" then return "integer" end
  if type(x) == "number" and not contract.is_finite(x) then return x ~= x and "nan" or "infinite" end
  return type(x)
end

local function has_type(x, alternatives)
  local kind = contract.type_of(x)
  for alternative in alternatives:gmatch "%a+" do
    if kind == alternative or (kind == "integer" and alternative == "number") then return true end
  end
  return false
end

-- The first field of t that breaks the contract: its name, what is wrong with it, and whether it is missing.
local function breach(t, fields)
  local known = contract.names(fields)
  for _, name in ipairs(contract.names(t)) do
    if not fields[name] then return name, "unknown field" .. contract.suggestion(name, known), false end
  end
  for _, name in ipairs(known) do
    local alternatives, optional = fields[name]:match "^([%a|]+)(%??)$"
    local x = t[name]
    if x == nil and optional == "" then return name, "missing", true end
    if x ~= nil and not has_type(x, alternatives) then
      return name, ("must be of type %s, not %s"):format(alternatives:gsub("|", " or "), contract.type_of(x)), false
    end
  end
end

--- Returns the table if it keeps the contract. `parent` is the field of the file that holds it, nil for the file itself.
function contract.check(t, fields, file, parent)
  local prefix = parent and parent .. "." or ""
  if type(t) ~= "table" and parent then contract.fail(file, parent, "must be a table, not a %s", contract.type_of(t)) end
  if type(t) ~= "table" then host.fail(("%s: error: must return a table, not a %s"):format(file, type(t))) end
  local name, problem, missing = breach(t, fields)
  if missing then host.fail(("%s: missing field '%s%s'"):format(file, prefix, name)) end
  if name then contract.fail(file, prefix .. name, "%s", problem) end
  return t
end

--- Calls fn(...) for a file: what our own code says by error(text, 0), without a place, is the user's error about the file.
function contract.attempt(file, fn, ...)
  local results = table.pack(xpcall(fn, function(err)
    if type(err) ~= "string" then return err end
    return err:match "^[^\n:]+:%d+:" and debug.traceback(err, 2) or { text = err }
  end, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  if type(err) == "table" and not getmetatable(err) then host.fail(("%s: error: %s"):format(file, err.text)) end
  error(err, 0)
end

--- The named options of a call L.<name> { ... } keep their contract, else an error at the caller's line.
function contract.options(name, o, fields)
  if type(o) ~= "table" then error(("L.%s takes a table, as in L.%s { ... }"):format(name, name), 0) end
  local named = {}
  for key, x in pairs(o) do if type(key) == "string" then named[key] = x end end
  local option, problem = breach(named, fields)
  if option then error(("L.%s: option '%s': %s"):format(name, option, (problem:gsub("unknown field", "unknown"))), 0) end
end

return contract
