--- What a run of the generator has read, as rules for make (gcc -MD -MP has such files): where none of it has changed the
-- generated files would not either.  Every file read has an empty rule, so that make goes on if it is not there any more.
-- Warnings follow as comments.

local host = require "host"

local depfile = {}

local function escaped(path) return (path:gsub("%$", "$$"):gsub("[ #:]", "\\%0")) end

--- files: { [name] = text } that were written into the folder.
function depfile.text(folder, files)
  local targets, read, lines = {}, {}, {}
  for name in pairs(files) do targets[#targets + 1] = escaped(folder .. "/" .. name) end
  for _, path in ipairs(host.seen()) do read[#read + 1] = escaped(path) end
  for module in pairs(package.loaded) do
    local path = package.searchpath(module, package.path)
    if path then read[#read + 1] = escaped(path) end
  end
  table.sort(targets)
  table.sort(read)
  for i, path in ipairs(read) do lines[i] = " \\\n  " .. path end
  lines[#lines + 1] = "\n"
  for _, path in ipairs(read) do
    if not path:find "%%" then lines[#lines + 1] = path .. ":\n" end              -- which would be a pattern
  end
  for _, text in ipairs(host.warnings()) do lines[#lines + 1] = "# " .. text:gsub("\n", "\n# ") .. "\n" end
  return table.concat(targets, " ") .. ":" .. table.concat(lines)
end

return depfile
