--- The options of a component, declared by their defaults:
--
--   { atol = 1e-6, checkpoints = 0, strict = false, norm = { "full", "state" } }
--
-- a number (not negative), a whole number, a choice, one of some words (the first is the default).

local contract = require "language.contract"

local settings = {}

--- The contract of options with these defaults (contract.lua).
function settings.fields(defaults)
  local fields = {}
  for name, default in pairs(defaults) do
    fields[name] = (type(default) == "table" and "string" or contract.type_of(default)) .. "?"
  end
  return fields
end

--- given, completed by the defaults; fail(option, message, ...) if an option is out of range.
function settings.complete(defaults, given, fail)
  local all = {}
  for _, name in ipairs(contract.names(defaults)) do
    local default, x = defaults[name], given[name]
    if type(default) == "table" then
      all[name] = x or default[1]
      local known = false
      for _, word in ipairs(default) do known = known or word == all[name] end
      if not known then fail(name, "'%s' is none of: %s", x, table.concat(default, ", ")) end
    elseif x == nil then
      all[name] = default
    else
      if type(x) == "number" and x < 0 then fail(name, "must not be negative") end
      if math.type(x) == "integer" and x >= 1 << 31 then fail(name, "%d is not below %d", x, 1 << 31) end
      all[name] = x
    end
  end
  return all
end

return settings
