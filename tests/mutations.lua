--- Models with a mistake or two: whatever is changed in a model file, it is loaded or it is refused as the user's own.
--
-- A mutation replaces, drops or repeats a word of a model, or replaces a whole table, call or function; only texts that
-- Lua can parse are tried.  What must not happen is an error of ours: a bug with a traceback, or one that names no file.

local backends = require "backends"
local check = require "check"
local host = require "host"
local lrnde = require "lrnde"

local MUTATIONS <const> = 600

local PIECES <const> = {
  "0", "-1", "3.5", "1e308", "(0/0)", "2^53", "nil", "true", '""', '"x"', '"data"', "{}", "{ 1 }", "{ 1, 2, 3 }", "{ {} }",
  "function() end", "function(x) return x end", "L", "L.dense { 2, 2 }", "L.chain {}", "L.mse { 'u' }", "L.adam {}", "L.bs3 {}",
  "L.exponential { 1, 2 }", "L.local_error {}", "L.glorot(1)", "L.sum", "math", "u", "t", "p", "not", "#", "==", "<", "..",
}

-- Spaces and comments too, so that the tokens make the text again.
local function tokens(text)
  local list, at = {}, 1
  local patterns = { "^%s+", "^%-%-[^\n]*", '^"[^"\n]*"', "^[%a_][%w_]*", "^%d[%d.]*e?%-?%d*", "^." }
  while at <= #text do
    for _, pattern in ipairs(patterns) do
      local token = text:match(pattern, at)
      if token then
        list[#list + 1] = token
        at = at + #token
        break
      end
    end
  end
  return list
end

local function is_word(token) return not token:match "^%s" and not token:match "^%-%-" end

local function random_word(list)
  local i
  repeat i = math.random(#list) until is_word(list[i])
  return i
end

-- The last token of the table, call or function that begins at i; i itself if none does.
local function last_of(list, i)
  local depth = 0
  for j = i, #list do
    if list[j]:match "^[{(]" or list[j] == "function" then depth = depth + 1 end
    if list[j]:match "^[})]" or list[j] == "end" then depth = depth - 1 end
    if depth <= 0 then return j end
  end
  return i
end

local function mutate(list)
  local i, how = random_word(list), math.random(4)
  if how == 1 then
    list[i] = ""
  elseif how == 2 then
    list[i] = list[random_word(list)]
  elseif how == 3 then
    list[i] = PIECES[math.random(#PIECES)]
  else
    for j = i + 1, last_of(list, i) do list[j] = "" end
    list[i] = PIECES[math.random(#PIECES)]
  end
end

local function mutant(original)
  local text
  repeat
    local list = table.move(original, 1, #original, 1, {})
    for _ = 1, math.random(2) do mutate(list) end
    text = table.concat(list)
  until load(text)
  return text
end

local function generate(path)
  lrnde.generate(lrnde.build(path, {}), backends.get "c", {})
end

local folder = check.folder()
local path = folder .. "/mutant.lua"

for _, place in ipairs { "models", "tests/models" } do
  local names = host.list(host.root .. "/" .. place)
  for _, name in ipairs(names) do
    if name:match "%.lua$" then
      check.case(place .. "/" .. name, function()
        local original = tokens(host.read(host.root .. "/" .. place .. "/" .. name))
        for seed = 1, MUTATIONS // #names do
          math.randomseed(seed)
          local text = mutant(original)
          host.write(path, text)
          local ok, err = pcall(generate, path)
          if not ok and (type(err) == "string" or not tostring(err):find(path, 1, true)) then
            error(("%s\nfrom mutation %d:\n%s"):format(tostring(err), seed, text), 0)
          end
        end
      end)
    end
  end
end

check.run("rm -r " .. folder)
check.done()
