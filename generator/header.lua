--- What the generator takes from the headers of runtime/: limits and names that both keep, and parts that a text carries where
-- there is no include path.

local host = require "host"

local header = {}

--- A part of a header.
function header.excerpt(name, pattern)
  local text = assert(host.read(("%s/runtime/%s"):format(host.root, name)))
  return assert(text:match(pattern), name .. " has not what is wanted of it")
end

--- The number of a constant of kernel.h.
function header.constant(name)
  local number = header.excerpt("kernel.h", ("%%f[%%w_]%s =? ?(%%d+)"):format(name))
  return math.tointeger(tonumber(number))
end

--- The names in a list of kernel.h, { [name] = true }.
function header.names(list)
  local names, text = {}, header.excerpt("kernel.h", ("#define %s%%(X%%)(.-)\n\n"):format(list))
  for name in text:gmatch "X%(([%w_]+)," do names[name] = true end
  return names
end

return header
