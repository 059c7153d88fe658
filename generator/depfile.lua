--- What a run of the generator has read, as a rule for make (gcc -MD has such files): where none of it has changed the generated
-- files would not either.  Warnings follow as comments.

local host = require "host"

local depfile = {}

local function escaped(path) return (path:gsub("%$", "$$"):gsub("[ #]", "\\%0")) end

--- files: { [name] = text } that were written into the folder.
function depfile.text(folder, files)
  local targets, read, lines = {}, {}, {}
  for name in pairs(files) do targets[#targets + 1] = escaped(folder .. "/" .. name) end
  for _, path in ipairs(host.seen()) do read[#read + 1] = path end
  for module in pairs(package.loaded) do read[#read + 1] = package.searchpath(module, package.path) end
  for i, path in ipairs(read) do lines[i] = " \\\n  " .. escaped(path) end
  table.sort(targets)
  table.sort(lines)
  for _, text in ipairs(host.warnings()) do lines[#lines + 1] = "\n# " .. text:gsub("\n", "\n# ") end
  return table.concat(targets, " ") .. ":" .. table.concat(lines) .. "\n"
end

return depfile
