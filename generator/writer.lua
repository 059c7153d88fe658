--- Lines of text under construction; those of a loop that may be outlined (outline.lua) are known when all kernels are.
--
--   add(indent, format, ...)   append(indent, another)   place(indent, loop, ..)   lines()   text()

local writer = {}

function writer.new()
  local out = { entries = {} }
  function out:add(indent, text, ...)
    if select("#", ...) > 0 then text = text:format(...) end
    table.insert(self.entries, { indent = indent, text = text })
  end
  function out:append(indent, other)
    for _, entry in ipairs(other.entries) do
      table.insert(self.entries, { indent = indent + entry.indent, text = entry.text, place = entry.place })
    end
  end
  --- A loop over rows.  written: the set of arrays it writes; pointers: { {name, value}.. } made for it.
  function out:place(indent, loop, e, written, pointers)
    for _, p in ipairs(pointers) do written[p[1]] = true end
    local function kind(word)
      return written[word] and "written" or e.taken[word] ~= "reserved" and e.taken[word] or nil
    end
    table.insert(self.entries, { indent = indent, place = e.loops:add(loop:lines(), kind, pointers) })
  end
  function out:lines()
    local lines = {}
    for _, entry in ipairs(self.entries) do
      for _, text in ipairs(entry.place and entry.place:lines() or { entry.text }) do
        lines[#lines + 1] = (("    "):rep(entry.indent) .. text):gsub("%s+$", "")
      end
    end
    return lines
  end
  function out:text() return table.concat(self:lines(), "\n") .. "\n" end
  return out
end

return writer
