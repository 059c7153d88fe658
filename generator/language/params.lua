--- The parameters of a model: an ordered list of leaves, one flat vector for the optimizer.
--
-- A leaf is { name, dims, size, offset, key, key_col, key_cols, key_rank, init }: a matrix (O, I), a vector (n) or a number.
-- Several leaves may share a tensor `key` in a weights file: a layer's time column lies behind its matrix.  The leaves the
-- dynamics reads come first, so that their gradient is one contiguous vector of dynamics_size numbers.

-- The runtime counts them in 32 bits.
local LARGEST <const> = (1 << 31) - 1

local params = {}
local Params = {}
Params.__index = Params

function params.new() return setmetatable({ list = {}, by_name = {}, size = 0, dynamics_size = 0 }, Params) end

--- init: { kind = "constant", a = } | { kind = "uniform", a =, b = } | { kind = "glorot", a = gain, b = fan_in + fan_out }
-- | { kind = "values", values = }.
function Params:add(leaf)
  if self.by_name[leaf.name] then error(("two parameters are called '%s'"):format(leaf.name), 0) end
  leaf.size = 1
  for _, d in ipairs(leaf.dims) do leaf.size = leaf.size * d end
  leaf.key = leaf.key or leaf.name
  leaf.key_rank = leaf.key_rank or #leaf.dims
  leaf.key_col = leaf.key_col or 0
  leaf.key_cols = leaf.key_cols or leaf.dims[#leaf.dims] or 1
  self.list[#self.list + 1], self.by_name[leaf.name] = leaf, leaf
  self:layout()
  if self.size > LARGEST then error(("%d parameters; at most %d are possible"):format(self.size, LARGEST), 0) end
  return leaf
end

function Params:leaf(name) return self.by_name[name] end

--- Elements of the largest matrix, 0 if there is none: how wide a model is.
function Params:largest_matrix()
  local largest = 0
  for _, leaf in ipairs(self.list) do if #leaf.dims == 2 then largest = math.max(largest, leaf.size) end end
  return largest
end

function Params:layout()
  self.size = 0
  for _, leaf in ipairs(self.list) do
    leaf.offset = self.size
    self.size = self.size + leaf.size
  end
end

--- Puts the named leaves first: those the dynamics reads.
function Params:put_first(names)
  local first, rest, set = {}, {}, {}
  for _, name in ipairs(names) do set[name] = true end
  self.dynamics_size, self.n_dynamics = 0, 0
  for _, leaf in ipairs(self.list) do
    local list = set[leaf.name] and first or rest
    list[#list + 1] = leaf
    if set[leaf.name] then
      self.dynamics_size, self.n_dynamics = self.dynamics_size + leaf.size, self.n_dynamics + 1
    end
  end
  self.list = table.move(rest, 1, #rest, #first + 1, first)
  self:layout()
end

--- The leaves of the dynamics.
function Params:dynamics() return { table.unpack(self.list, 1, self.n_dynamics) } end

return params
