--- Folders as registries: a file is found because it is there, and what it returns is checked when it is loaded.
--
-- A module of code (layers/, steppers/, ...) is required with the generator's whole environment; a file of data
-- (tableaus/) is run in an empty sandbox. Either may have `aliases`, a list of other names it answers to. No list of
-- names is kept anywhere else.

local contract = require "language.contract"
local host = require "host"

local registry = {}
registry.__index = registry

-- `load(name, file)` gives what a file returns, `check(value, file, name)` what users get. `place` is under host.root.
local function new(folder, place, load, check)
  local self = { folder = folder, path = host.root .. "/" .. place, load = load, check = check, loaded = {}, checked = {} }
  return setmetatable(self, registry)
end

--- A folder of modules under generator/: "layers" holds what require "layers.x" finds. `fields` is their contract
--- (contract.lua), to which the registry adds the optional list `aliases`.
function registry.open(folder, fields)
  local with_aliases = { aliases = "table?" }
  for name, kind in pairs(fields) do with_aliases[name] = kind end
  local function load(name) return require(folder:gsub("/", ".") .. "." .. name) end
  local function check(module, file) return contract.check(module, with_aliases, file) end
  return new(folder, "generator/" .. folder, load, check)
end

--- A folder of data files under the root. `complete(data, file, name)` checks what a file returns and gives what users get.
function registry.open_data(folder, complete)
  local function load(_, file) return host.sandbox(host.root .. "/" .. file, {}) end
  return new(folder, folder, load, complete)
end

--- The names in the folder, sorted.
function registry:names()
  local names = {}
  for _, entry in ipairs(assert(host.list(self.path))) do names[#names + 1] = entry:match "^([^.].*)%.lua$" end
  return names
end

-- The file as messages name it.
function registry:file(name) return self.folder .. "/" .. name .. ".lua" end

function registry:raw(name)
  if self.loaded[name] == nil then self.loaded[name] = self.load(name, self:file(name)) end
  return self.loaded[name]
end

--- The name that a word stands for, itself or as an alias; nil and a message if there is none.
function registry:find(word)
  local names = self:names()
  local words = {}
  for _, name in ipairs(names) do
    if name == word then return name end
    words[#words + 1] = name
  end
  for _, name in ipairs(names) do
    local value = self:raw(name)
    for _, alias in ipairs(type(value) == "table" and value.aliases or {}) do
      if alias == word then return name end
      words[#words + 1] = alias
    end
  end
  local known = table.concat(names, ", ")
  return nil, ("no '%s' in %s/%s (known: %s)"):format(word, self.folder, contract.suggestion(word, words), known)
end

--- What the folder has under a name or an alias, checked; an unknown word is the user's error.
function registry:get(word)
  local name, message = self:find(word)
  if not name then host.fail("error: " .. message) end
  if self.checked[name] == nil then self.checked[name] = self.check(self:raw(name), self:file(name), name) end
  return self.checked[name]
end

return registry
