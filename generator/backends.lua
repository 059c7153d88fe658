--- The backends: folders of templates/ that have a backend.lua.
--
-- backend.lua gives spellings; kernel.lua beside it the shape of a kernel.  Both are loaded here and checked.

local contract = require "language.contract"
local host = require "host"

local backends = {}

local fields = {
  name = "string", extension = "string", doc = "string", reserved = "table", spell = "table", set_precision = "function",
  op = "function", double = "function", number = "function", lane = "function", load = "function", shared_load = "function",
  shared_element = "function", files = "table", math = "function",
}

local function run(path)
  local text = assert(host.read(host.root .. "/" .. path))
  return assert(load(text, "@" .. path, "t"))()
end

function backends.names()
  local names = {}
  for _, name in ipairs(assert(host.list(host.root .. "/templates"))) do
    if host.read(("%s/templates/%s/backend.lua"):format(host.root, name)) then names[#names + 1] = name end
  end
  return names
end

function backends.get(name)
  local folder = "templates/" .. name
  local backend = contract.check(run(folder .. "/backend.lua"), fields, folder .. "/backend.lua")
  backend.shape = run(folder .. "/kernel.lua")
  return backend
end

--- The backends a --target of the command line asks for; all without one.
function backends.chosen(target)
  local names, known = {}, backends.names()
  for word in (target or table.concat(known, ",")):gmatch "[^,]+" do
    local found
    for _, name in ipairs(known) do found = found or name == word end
    if not found then
      host.fail(("error: --target: there is no backend '%s' (known: %s)"):format(word, table.concat(known, ", ")))
    end
    names[#names + 1] = word
  end
  local list = {}
  for i, name in ipairs(names) do list[i] = backends.get(name) end
  return list
end

return backends
