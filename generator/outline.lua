--- Outlining: a loop that a file would hold more than once becomes a function of it, compiled once.
--
-- Stages repeat the loops of the right-hand side, and kernels repeat each other's stages: text that is the same but for what
-- its arrays and scalars are called.  So does straight-line code, a loop over lanes alone: of 28 equations a step of 7 stages
-- has one right-hand side instead of 6, which a compiler that takes longer than twice for twice the text feels.  In a function
-- they are called x1, x2, .. (read), y1, .. (written), d1, .. (sums), s1, .. (scalars), n1, .. (counts); what the loop itself
-- declares is v1, v2, ..  A loop that occurs once stays where it is.
--
--   local loops = outline.new(prefix)
--   local place = loops:add(lines, kinds, declarations)     while kernels are written
--   place:lines()                                           when all of them are
--   loops:functions()
--
-- A kernel may also want a function of its own making: loops:define(key, stem, make).

local outline = {}
local Outline, Place = {}, {}
Outline.__index, Place.__index = Outline, Place

-- What an operand of each kind is declared as, and the letter it is called by.
local operands = {
  read = { "const real *restrict ", "x" }, written = { "real *restrict ", "y" }, sum = { "const double *restrict ", "d" },
  scalar = { "real ", "s" }, count = { "int ", "n" },
}

--- A list in parentheses after `head`, broken into lines of at most 120 columns.
local function parenthesized(head, list)
  local lines, indent = { head .. "(" }, (" "):rep(#head + 1)
  for i, item in ipairs(list) do
    local text = item .. (i < #list and "," or ")")
    if #lines[#lines] + #text > 119 then lines[#lines + 1] = indent end
    lines[#lines] = lines[#lines] .. (lines[#lines]:find "[ (]$" and "" or " ") .. text
  end
  return lines
end

--- prefix: of the functions' names.
function outline.new(prefix)
  return setmetatable({ prefix = prefix, by_text = {}, list = {}, by_key = {}, defined = {} }, Outline)
end

--- The name, with `stem` in it, of the functions whose text make(name) gives; they are made once for a key.
function Outline:define(key, stem, make)
  if not self.by_key[key] then
    local name = ("%s_%s%d"):format(self.prefix, stem, #self.defined + 1)
    self.by_key[key] = name
    self.defined[#self.defined + 1] = make(name)
  end
  return self.by_key[key]
end

--- Notes a loop and returns its place.  kinds(word): one of operands if the word is an operand, "local" if the loop declares
-- it, else nil; declarations: { { name, value }.. } of pointers that are made for this loop, or nil.
function Outline:add(lines, kinds, declarations)
  local names, numbers, parameters, arguments, text, values = {}, {}, {}, {}, {}, {}
  for _, d in ipairs(declarations or {}) do values[d[1]] = d[2] end
  local function rename(word)
    local kind = not names[word] and kinds(word)
    if kind then
      local letter = kind == "local" and "v" or operands[kind][2]
      numbers[letter] = (numbers[letter] or 0) + 1
      names[word] = letter .. numbers[letter]
      if kind ~= "local" then
        parameters[#parameters + 1] = operands[kind][1] .. names[word]
        arguments[#arguments + 1] = values[word] or word
      end
    end
    return names[word]
  end
  for i, line in ipairs(lines) do text[i] = line:gsub("[%w_.]+", rename) end
  local key = table.concat(parameters, ", ") .. "\n" .. table.concat(text, "\n")
  local loop = self.by_text[key]
  if not loop then
    loop = { parameters = parameters, text = text, places = 0 }
    self.by_text[key] = loop
    self.list[#self.list + 1] = loop
  end
  loop.places = loop.places + 1
  return setmetatable({ of = self, loop = loop, text = lines, arguments = arguments, declarations = declarations or {} }, Place)
end

--- The name of a loop's function, in the order in which they are met; nil if it occurs once.
function Outline:name(loop)
  if loop.places == 1 then return nil end
  if not self.named then
    self.named = 0
    for _, other in ipairs(self.list) do
      if other.places > 1 then
        self.named = self.named + 1
        other.name = ("%s_loop%d"):format(self.prefix, self.named)
      end
    end
  end
  return loop.name
end

--- The lines that stand in the kernel.
function Place:lines()
  local name, lines = self.of:name(self.loop), {}
  if name then
    lines = parenthesized(name, self.arguments)
    lines[#lines] = lines[#lines] .. ";"
    return lines
  end
  for i, d in ipairs(self.declarations) do lines[i] = ("%s%s = %s;"):format(operands.written[1], d[1], d[2]) end
  return table.move(self.text, 1, #self.text, #lines + 1, lines)
end

--- Texts of the functions, once every loop is known.
function Outline:functions()
  local list = table.move(self.defined, 1, #self.defined, 1, {})
  for _, loop in ipairs(self.list) do
    local name = self:name(loop)
    if name then
      local head = parenthesized("LRNDE_ONCE static void " .. name, loop.parameters)
      list[#list + 1] = ("%s\n{\n    %s\n}\n"):format(table.concat(head, "\n"), table.concat(loop.text, "\n    "))
    end
  end
  return list
end

return outline
