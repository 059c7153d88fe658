--- The backends: folders of templates/ that have a backend.lua.
--
-- backend.lua gives spellings; kernel.lua beside it the shape of a kernel.  Both are loaded here and checked.  `carried`: the
-- text has no descriptor, and travels in that of a backend that has one, with its tile and `own`, numbers for its driver.  `solves`: whether a solve of a model is
-- one launch, `solves_back`: many steps of its adjoint system; `explain`: writes what --explain says of the backend; `gathers`,
-- set with the model: whether outer products added to the same place are one.

local contract = require "language.contract"
local host = require "host"

local backends = {}

local fields = {
  name = "string", extension = "string", doc = "string", reserved = "table", counts = "table", spell = "table",
  set_model = "function", op = "function", double = "function", number = "function", lane = "function", load = "function",
  shared_load = "function", shared_element = "function", files = "table", math = "function",
  carried = "boolean?", own = "function?", solves = "function?", solves_back = "function?", explain = "function?",
}

--- What a Lua file below the root returns: how a backend reaches a file of its own.
function backends.run(path)
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

--- The spellings of a backend, a copy that the caller may change: a dialect begins with another's.
function backends.spelling(name)
  local path = ("templates/%s/backend.lua"):format(name)
  return contract.check(backends.run(path), fields, path)
end

function backends.get(name)
  local backend = backends.spelling(name)
  local path = ("templates/%s/kernel.lua"):format(name)
  backend.shape = contract.check(backends.run(path), { kernel = "function" }, path)
  return backend
end

--- The backend whose text has the descriptor, and carries those of the others.
function backends.carrier()
  for _, name in ipairs(backends.names()) do
    local backend = backends.get(name)
    if not backend.carried then return backend end
  end
end

--- The backends a --target of the command line asks for; all without one.  Those whose text others carry come first.
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
  local list, carrying = {}, {}
  for _, name in ipairs(names) do
    local backend = backends.get(name)
    table.insert(backend.carried and list or carrying, backend)
  end
  return table.move(carrying, 1, #carrying, #list + 1, list)
end

return backends
