--- Lists of coefficients in a data file: read exactly, checked, rounded to doubles.
--
-- Read, a list is { exact = {rational..}, number = {double..}, text = {string..} }, the text being what a comment in
-- generated code shows: the entry as written if it is short, else its 17 digits.

local contract = require "language.contract"
local rational = require "language.rational"

local coefficients = {}

local SHORT <const> = 24

-- An entry as text. A float of Lua stands for the shortest decimal that reads back as it.
local function spelling(entry)
  if math.type(entry) ~= "float" then return tostring(entry) end
  for digits = 15, 17 do
    local text = ("%%.%dg"):format(digits):format(entry)
    if tonumber(text) == entry then return text end
  end
  return tostring(entry)
end

--- The fraction that one entry spells.
function coefficients.read(file, field, entry)
  if type(entry) ~= "string" and type(entry) ~= "number" then
    contract.fail(file, field, "a coefficient is a number, a decimal or a fraction, not a %s", type(entry))
  end
  local exact = rational.parse(spelling(entry))
  if not exact then contract.fail(file, field, "'%s' is not a number, a decimal or a fraction", entry) end
  return exact
end

--- A list of fractions as coefficients; texts[i], where given, is how entry i was written.
function coefficients.round(exact, texts)
  local list = { exact = exact, number = {}, text = {} }
  for i, x in ipairs(exact) do
    list.number[i] = x:tonumber()
    local text = texts and texts[i] or tostring(x)
    list.text[i] = #text <= SHORT and text or ("%.17g"):format(list.number[i])
  end
  return list
end

--- The list `entries`, which must be a list and have `length` entries (if that is given).
function coefficients.vector(file, field, entries, length)
  if type(entries) ~= "table" then contract.fail(file, field, "must be a list of coefficients, not a %s", type(entries)) end
  local exact, texts = {}, {}
  for i, entry in ipairs(entries) do
    exact[i] = coefficients.read(file, ("%s[%d]"):format(field, i), entry)
    texts[i] = spelling(entry)
  end
  for key in pairs(entries) do
    if not exact[key] then contract.fail(file, ("%s[%s]"):format(field, key), "not an entry of a list without gaps") end
  end
  if length and #exact ~= length then contract.fail(file, field, "has %d entries, not %d", #exact, length) end
  return coefficients.round(exact, texts)
end

--- Rows of a strictly lower triangular matrix, for stages `first` to `last`: row i has i-1 entries, or `last` of which
--- those from i on are 0. Returns the rows cut to i-1 entries.
function coefficients.lower(file, field, rows, first, last)
  local count = last - first + 1
  if #rows ~= count then contract.fail(file, field, "has %d rows for %d stages", #rows, count) end
  local matrix = {}
  for row = 1, count do
    local at, stage = ("%s[%d]"):format(field, row), first + row - 1
    local list = coefficients.vector(file, at, rows[row])
    local width = #list.exact
    if width ~= stage - 1 and width ~= last then
      contract.fail(file, at, "has %d entries; stage %d has %d, or %d with the zeros", width, stage, stage - 1, last)
    end
    for j = stage, width do
      if not list.exact[j]:is_zero() then
        local entry = ("%s[%d]"):format(at, j)
        contract.fail(file, entry, "must be 0: stage %d of an explicit method uses only earlier ones", stage)
      end
      list.exact[j], list.number[j], list.text[j] = nil, nil, nil
    end
    matrix[row] = list
  end
  return matrix
end

--- One facet (exact, number or text) of every row of a matrix.
function coefficients.facet(matrix, name)
  local rows = {}
  for i, row in ipairs(matrix) do rows[i] = row[name] end
  return rows
end

return coefficients
