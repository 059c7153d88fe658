--- The structure of small systems of equations: which entries of a matrix can differ from zero, and what that leaves to do.
--
-- Jacobians of equations are sparse, and known when code is made.  Rows and columns are put into an order in which little fills
-- up (Markowitz 1957, for pivots on the diagonal), then elimination is written out without its zeros.  That is the partial
-- pivoting of the op `lu` as long as no row has to be exchanged, to the same bits; the text tells, and whoever uses it falls
-- back on the general code.
--
-- For W = I/gamma - h J pivots come first whose diagonal has a part of J, or got one: the others are small beside h J in the
-- long steps that W is there for.
--
--   s = sparsity.new(n, function(i, j) .. end)    J's entry in row i, column j can differ from 0; nil: not worth writing out
--   s.order[r]      the equation that is row and column r of the matrix that is factorised; all below is in that order
--   s.filled[i][j]  the factors' entry can differ from zero
--   s.flops         { lu =, lu_solve =, lu_solve_t = }
--   s.number        the attribute of the ops lu, ..; sparsity.get(number) is s

local sparsity = {}
local Sparsity = {}
Sparsity.__index = Sparsity

local MOST_STATEMENTS <const> = 1500   -- of straight-line code, which compilers take a second for

local known = {}                       -- by number, and by text

--- What fills up when the active rows are eliminated by pivot p.
local function eliminate(entry, active, heavy, p)
  for i = 1, #entry do
    for j = 1, #entry do
      if active[i] and active[j] and i ~= p and j ~= p and entry[i][p] and entry[p][j] then
        entry[i][j], heavy[i] = true, heavy[i] or i == j
      end
    end
  end
end

--- The next pivot: heavy before others, then of few products, then of a short column, then the first.
local function next_pivot(entry, active, heavy)
  local best
  for p = 1, #entry do
    if active[p] then
      local rows, columns = 0, 0
      for i = 1, #entry do
        if active[i] and i ~= p and entry[i][p] then rows = rows + 1 end
        if active[i] and i ~= p and entry[p][i] then columns = columns + 1 end
      end
      local key = { heavy[p] and 0 or 1, rows * columns, rows }
      local better = not best
      for q = 1, best and #key or 0 do
        if key[q] ~= best.key[q] then better = key[q] < best.key[q] break end
      end
      if better then best = { p = p, key = key } end
    end
  end
  return best.p
end

--- The order of elimination; entry, heavy: as they are left by it.
local function find_order(entry, heavy)
  local active, order = {}, {}
  for i = 1, #entry do active[i] = true end
  for r = 1, #entry do
    local p = next_pivot(entry, active, heavy)
    eliminate(entry, active, heavy, p)
    active[p], order[r] = nil, p
  end
  return order
end

local function count(self)
  local below, above, products = 0, 0, 0
  for k = 1, self.n do
    local rows, columns = 0, 0
    for i = k + 1, self.n do
      if self.filled[i][k] then rows = rows + 1 end
      if self.filled[k][i] then columns = columns + 1 end
    end
    below, above, products = below + rows, above + columns, products + rows * columns
  end
  local solve = 2 * (below + above) + self.n
  self.flops = { lu = below + 2 * products, lu_solve = solve, lu_solve_t = solve }
  return below + products
end

function sparsity.new(n, can_differ)
  local entry, heavy, text = {}, {}, {}
  for i = 1, n do
    entry[i] = {}
    for j = 1, n do
      local present = can_differ(i, j) and true or false
      entry[i][j], text[#text + 1] = present or i == j, present and "x" or "."
    end
    heavy[i] = can_differ(i, i) and true or false
  end
  text = n .. table.concat(text)
  if known[text] == nil then
    local given = {}
    for i = 1, n do given[i] = table.move(entry[i], 1, n, 1, {}) end
    local self = setmetatable({ n = n, order = find_order(entry, heavy), given = {}, filled = {} }, Sparsity)
    for r, i in ipairs(self.order) do
      self.given[r], self.filled[r] = {}, {}
      for c, j in ipairs(self.order) do self.given[r][c], self.filled[r][c] = given[i][j], entry[i][j] end
    end
    known[text] = count(self) <= MOST_STATEMENTS and self
    if known[text] then
      known[#known + 1] = self
      self.number = #known
    end
  end
  return known[text] or nil
end

function sparsity.get(number) return known[number] end

--- How many entries of the matrix, and of its factors, can differ from zero.
function Sparsity:entries()
  local given, filled = 0, 0
  for i = 1, self.n do
    for j = 1, self.n do
      given, filled = given + (self.given[i][j] and 1 or 0), filled + (self.filled[i][j] and 1 or 0)
    end
  end
  return given, filled
end

--- Statements of a lane for f, the factors of m; `moved` is 1 then if partial pivoting had exchanged rows.
function Sparsity:factorise(b)
  local n, lines, name = self.n, {}, {}
  local function add(text, ...) lines[#lines + 1] = text:format(...) end
  for j = 1, n do
    for i = 1, n do
      if self.given[i][j] then
        name[i * n + j] = ("a%d_%d"):format(i, j)
        add("real %s = %s;", name[i * n + j], b.load("m", (j - 1) * n + i - 1))
      end
    end
  end
  add("real moved = 0;")
  for k = 1, n do
    local pivot = name[k * n + k]
    for i = k + 1, n do
      local l = name[i * n + k]
      if l then
        local smaller = b.op("lt", { b.op("abs", { pivot }, "real"), b.op("abs", { l }, "real") }, "real")
        add("moved = %s;", b.op("max", { "moved", smaller }, "real"))
        add("%s = %s / %s;", l, l, pivot)
      end
    end
    for j = k + 1, n do
      for i = k + 1, n do
        local l, u, a = name[i * n + k], name[k * n + j], name[i * n + j]
        if l and u and a then
          add("%s = %s;", a, b.op("fma", { "-" .. l, u, a }, "real"))
        elseif l and u then
          name[i * n + j] = ("a%d_%d"):format(i, j)
          add("real %s = -(%s * %s);", name[i * n + j], l, u)
        end
      end
    end
  end
  for j = 1, n do
    for i = 1, n do
      if name[i * n + j] then add("%s = %s;", b.load("f", (j - 1) * n + i - 1), name[i * n + j]) end
    end
  end
  return lines
end

--- Statements of a lane for x = M^-1 b, or M^-T b, with factors f that exchange no rows.
function Sparsity:solve(b, transposed)
  local n, lines = self.n, {}
  local function add(text, ...) lines[#lines + 1] = text:format(...) end
  local function factor(i, j) return b.load("f", (j - 1) * n + i - 1) end
  local function row(i, first, last, step, divides)
    for k = first, last, step do
      local r, c = i, k
      if transposed then r, c = k, i end
      if self.filled[r][c] then add("x%d = %s;", i, b.op("fma", { "-" .. factor(r, c), "x" .. k, "x" .. i }, "real")) end
    end
    if divides then add("x%d = x%d / %s;", i, i, factor(i, i)) end
  end
  for i = 1, n do
    add("real x%d = %s;", i, b.load("b", i - 1))
    row(i, 1, i - 1, 1, transposed)
  end
  for i = n, 1, -1 do
    if transposed then row(i, i + 1, n, 1, false) else row(i, n, i + 1, -1, true) end
    add("%s = x%d;", b.load("x", i - 1), i)
  end
  return lines
end

return sparsity
