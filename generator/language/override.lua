--- --set KEY=VALUE: overrides in a model table, before it is checked.

local host = require "host"

local override = {}

--- A Lua literal, or the bare word itself.
function override.parse(text)
  local chunk = load("return " .. text, "=--set", "t", {})
  if chunk then
    local ok, result = pcall(chunk)
    if ok and (result ~= nil or text == "nil") then return result end
  end
  return text
end

--- Follows a dotted path through the fields of a model; a field that is false or missing becomes a table on the way.
function override.apply(spec, path, setting)
  local keys = {}
  for key in path:gmatch "[^.]+" do keys[#keys + 1] = math.tointeger(tonumber(key)) or key end
  if #keys == 0 then host.fail("error: --set: an empty key") end
  local at = spec
  for i = 1, #keys - 1 do
    if at[keys[i]] == nil or at[keys[i]] == false then at[keys[i]] = {} end
    at = at[keys[i]]
    if type(at) ~= "table" then host.fail(("error: --set %s: '%s' is no table"):format(path, keys[i])) end
  end
  at[keys[#keys]] = setting
end

return override
