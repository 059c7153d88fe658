--- A stand-in for the C host, for tests of data and language that plain `lua5.4` can run. Under the real host, whose
--- modules are preloaded, this file is never reached.

local host = { root = "." }

local user_error = { __tostring = function(err) return err.message end }

function host.fail(text) error(setmetatable({ message = text }, user_error)) end

function host.read(path)
  local file, message = io.open(path)
  if not file then return nil, message end
  local text = file:read "a"
  file:close()
  return text
end

function host.list(dir)
  local listing = assert(io.popen(("LC_ALL=C ls '%s'"):format(dir)))
  local names = {}
  for name in listing:lines() do names[#names + 1] = name end
  listing:close()
  return names
end

function host.sandbox(path, env)
  local chunk, message = loadfile(path, "t", env)
  if not chunk then host.fail(message) end
  return chunk()
end

-- The name that shares the longest beginning with the word.
function host.nearest(word, names)
  local best, longest
  for _, name in ipairs(names) do
    local n = 0
    while n < #name and name:byte(n + 1) == word:byte(n + 1) do n = n + 1 end
    if n > (longest or 0) then best, longest = name, n end
  end
  return best
end

return host
