--- --set KEY=VALUE: overrides in a model table, before it is checked.

local contract = require "language.contract"
local host = require "host"

local override = {}

--- A Lua literal, a component as in a model file, "L.adam { lr = 0.1 }", or the bare word itself.  L: the language.
function override.parse(text, L)
  local chunk = load("return " .. text, "=--set", "t", { L = L })
  if chunk then
    local ok, result = pcall(host.guarded, chunk)
    if ok and (result ~= nil or text == "nil") then return result end
    if not ok and text:match "^L%." then host.fail(tostring(result)) end
  end
  return text
end

--- Follows a dotted path through the fields of a model; a field that is false or missing becomes a table on the way, a word
-- a table that begins with it, to which options may be added.  The fields are checked when the model is loaded; only what
-- stands under params has names of the user's own.
function override.apply(spec, path, setting)
  local keys = {}
  for key in path:gmatch "[^.]+" do keys[#keys + 1] = math.tointeger(tonumber(key)) or key end
  if #keys == 0 then host.fail("error: --set: an empty key") end
  local at = spec
  for i = 1, #keys - 1 do
    if at[keys[i]] == nil or at[keys[i]] == false then at[keys[i]] = {} end
    if type(at[keys[i]]) == "string" then at[keys[i]] = { at[keys[i]] } end
    at = at[keys[i]]
    if type(at) ~= "table" or getmetatable(at) then host.fail(("error: --set %s: '%s' is no table"):format(path, keys[i])) end
  end
  local last = keys[#keys]
  if keys[1] == "params" and at[last] == nil then
    host.fail(("error: --set %s: there is no parameter '%s'%s"):format(
      path, last, contract.suggestion(tostring(last), contract.names(at))))
  end
  at[last] = setting
end

return override
