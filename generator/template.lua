--- Templates: text with two rules.  A line whose first character is @ is Lua; @(expression) in any other line is replaced
-- by its value.  Errors name the template and its line.

local host = require "host"

local template = {}

--- The text of the template at path (below the root), filled from the table env.
function template.fill(path, env)
  local text, message = host.read(host.root .. "/" .. path)
  if not text then error(message, 0) end
  local code = { "local emit, tostring = ... " }
  for line in text:gmatch "(.-)\n" do
    if line:sub(1, 1) == "@" and line:sub(2, 2) ~= "(" then
      code[#code + 1] = line:sub(2) .. "\n"
    else
      local at, parts = 1, {}
      while true do
        local i, j, expression = line:find("@(%b())", at)
        if not i then break end
        parts[#parts + 1] = ("emit(%q)"):format(line:sub(at, i - 1))
        parts[#parts + 1] = ("emit(tostring%s)"):format(expression)
        at = j + 1
      end
      parts[#parts + 1] = ("emit(%q)"):format(line:sub(at) .. "\n"):gsub("\\\n", "\\n")
      code[#code + 1] = table.concat(parts, " ") .. "\n"
    end
  end
  local out = {}
  local chunk = assert(load(table.concat(code), "=" .. path, "t", setmetatable({}, { __index = function(_, name)
    local v = env[name]
    if v == nil then v = _G[name] end
    return v
  end })))
  chunk(function(piece) out[#out + 1] = piece end, tostring)
  return table.concat(out)
end

return template
