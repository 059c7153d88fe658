--- From a graph to a plan: which values are computed together, in which order, and where they live.
--
-- Per-sample work becomes blocks.  A MAP block is a loop over the i features of its domain and the lanes of a tile, with
-- straight-line code inside; a PRODUCT block is one large matrix product, a factorisation or a solution with it.  A value sits
-- in the latest block that still precedes its users, so that sums of stages are formed where they are wanted and never stored;
-- it becomes an array only if a later block, a matrix product or an output reads it.  A value that reads another pointwise, in
-- the same domain, can share its block; every other way of reading (a broadcast, a row, a sum, a matrix product) starts a later
-- one.
--
-- Sums over the batch end the tile phase: they go into `partial` (gradients, shared components) or `sums`.  Values that
-- depend on them, and elementwise work on shared vectors, form the shared phase.
--
--   plan.values[id]     { op, kind, dims, args, attrs, number, name, size, block, storage = {array, row} }
--   plan.blocks         { { kind = "map", domain, values } | { kind = "product", value } }, in order
--   plan.scalars        shared rank-0 values computed first, in double
--   plan.partials       { { value, at } }: batch sums added to element `at` of partial
--   plan.sums           { { value, index } }: batch sums of scalars added to sums[index]
--   plan.shared         { size, loads = {[id] = at}, outputs, sums }: the shared phase, or nil
--   plan.arrays         { { rows, output | nil, lane, value } }: every array of the tile phase

local roots = require "roots"

local schedule = {}

local reductions = { sum = true, rowmax = true, argmax = true }
local views = { index = true, slice = true }

local function load_values(g)
  local values = {}
  for id = 0, g:size() - 1 do
    local v = g:value(id)
    v.id, v.size = id, 1
    for _, d in ipairs(v.dims) do v.size = v.size * d end
    values[id] = v
  end
  return values
end

--- How many batch sums lie below a value.
local function find_depths(values)
  for id = 0, #values do
    local v = values[id]
    v.depth = 0
    for _, a in ipairs(v.args) do v.depth = math.max(v.depth, values[a].depth) end
    if v.kind == "sample" and v.depth > 0 then
      error("a per-sample value that depends on a sum over the batch needs a kernel of more phases", 0)
    end
    if v.op == "batch_sum" or v.op == "outer" then v.depth = v.depth + 1 end
  end
end

--- Appends a value the graph does not have: a copy, where something must stand in a place of its own.
local function add_copy(plan, source)
  local id = #plan.values + 1
  plan.values[id] = { id = id, op = "copy", kind = "sample", dims = source.dims, size = source.size, args = { source.id },
                      attrs = {}, depth = 0 }
  return plan.values[id]
end

local INLINE_TERMS = 20       -- an inner product up to this long is a chain of statements in the loop that wants it

local always_product = { outer = true, lu = true, lu_solve = true, lu_solve_t = true }

--- Is this value a matrix product of its own, rather than statements of a loop?
local function is_product(plan, v)
  if v.op ~= "matvec" and v.op ~= "matvec_t" then return always_product[v.op] or false end
  return plan.values[v.args[1]].dims[v.op == "matvec" and 2 or 1] > INLINE_TERMS
end

--- Wx + b with a shared b becomes one product that starts from b, its third argument, instead of from zeros: one pass less
-- over the result.
local function start_products(plan)
  local uses = {}
  for id = 0, #plan.values do
    for _, a in ipairs(plan.values[id].args) do uses[a] = (uses[a] or 0) + 1 end
  end
  for _, o in ipairs(plan.outputs) do uses[o.value] = (uses[o.value] or 0) + 1 end
  for id = 0, #plan.values do
    local v = plan.values[id]
    for i, a in ipairs(v.op == "add" and v.args or {}) do
      local product, start = plan.values[a], plan.values[v.args[3 - i]]
      if not always_product[product.op] and is_product(plan, product) and uses[a] == 1 and start.kind == "shared" then
        v.op, v.attrs, v.args = product.op, product.attrs, { product.args[1], product.args[2], start.id }
        break
      end
    end
  end
end

--- Rows a pointwise loop over v has; for reductions those of what they reduce.
local function domain(plan, v)
  if reductions[v.op] or v.op == "batch_sum" then return plan.values[v.args[1]].size end
  return v.size
end

--- Must a come from an earlier block than v?
local function crosses(plan, v, a)
  if is_product(plan, v) or is_product(plan, a) or reductions[a.op] then return true end
  if v.op == "concat" or a.op == "concat" or v.op == "matvec" or v.op == "matvec_t" or views[v.op] then return true end
  if v.op == "pick" and a.size > 1 then return true end
  return domain(plan, v) ~= domain(plan, a)
end

local function sample_args(plan, v)
  local list = {}
  for _, id in ipairs(v.args) do
    local a = plan.values[id]
    if a.kind == "sample" and a.op ~= "input" then list[#list + 1] = a end
  end
  return list
end

--- Rewrites pads as concats and gives every part of a concat, and every output that is no computed value, a copy.
local function make_places(plan)
  for id = 0, #plan.values do
    local v = plan.values[id]
    if v.kind == "sample" and v.op == "pad" then
      local zero = { op = "const", kind = "shared", dims = {}, size = 1, args = {}, attrs = {}, number = 0, depth = 0 }
      zero.id = #plan.values + 1
      plan.values[zero.id] = zero
      local part, before = plan.values[v.args[1]], v.attrs[1]
      local after = v.size - before - part.size
      v.op, v.args = "concat", {}
      for _, piece in ipairs { { zero, before }, { part, part.size }, { zero, after } } do
        if piece[2] > 0 then
          local copy = add_copy(plan, piece[1])
          copy.size, copy.dims = piece[2], { piece[2] }
          v.args[#v.args + 1] = copy.id
        end
      end
      v.placed = true
    end
  end
  local users = {}
  for id = 0, #plan.values do
    for _, a in ipairs(plan.values[id].args) do users[a] = (users[a] or 0) + 1 end
  end
  local output = {}
  for _, o in ipairs(plan.outputs) do output[o.value] = true end
  for id = 0, #plan.values do
    local v = plan.values[id]
    if v.kind == "sample" and v.op == "concat" and not v.placed then
      for i, a in ipairs(v.args) do
        local part = plan.values[a]
        local computed = part.kind == "sample" and part.op ~= "input" and not views[part.op] and part.op ~= "concat"
                         and not reductions[part.op] and not part.place and not output[a]
        if not computed then
          part = add_copy(plan, part)
          v.args[i] = part.id
        end
        part.place = v.id
      end
    end
  end
end

--- Topological order of all values, the appended ones included.
local function order(plan)
  local list, seen = {}, {}
  local function visit(id)
    if seen[id] then return end
    seen[id] = true
    for _, a in ipairs(plan.values[id].args) do visit(a) end
    list[#list + 1] = plan.values[id]
  end
  for id = 0, #plan.values do visit(id) end
  return list
end

--- Levels: as early as arguments allow, then as late as users allow.
local function assign_levels(plan, ordered)
  local users = {}
  local tile = {}
  for _, v in ipairs(ordered) do
    local computed = v.kind == "sample" or v.op == "batch_sum" or v.op == "outer"
    if v.needed and computed and v.op ~= "input" then
      tile[#tile + 1] = v
      v.level = 1
      for _, a in ipairs(sample_args(plan, v)) do
        v.level = math.max(v.level, a.level + (crosses(plan, v, a) and 1 or 0))
        users[a.id] = users[a.id] or {}
        table.insert(users[a.id], v)
      end
    end
  end
  for i = #tile, 1, -1 do
    local v, latest = tile[i], nil
    for _, user in ipairs(users[v.id] or {}) do
      local limit = user.level - (crosses(plan, user, v) and 1 or 0)
      latest = math.min(latest or limit, limit)
    end
    v.level = latest or v.level
    v.users = users[v.id] or {}
  end
  return tile
end

local function make_blocks(plan, tile)
  local by_level, last = {}, 0
  for _, v in ipairs(tile) do
    last = math.max(last, v.level)
    by_level[v.level] = by_level[v.level] or {}
    table.insert(by_level[v.level], v)
  end
  for level = 1, last do
    local maps = {}
    for _, v in ipairs(by_level[level] or {}) do
      if v.op ~= "concat" then
        local block
        if is_product(plan, v) then
          block = { kind = "product", value = v, values = { v } }
          plan.blocks[#plan.blocks + 1] = block
        else
          local d = domain(plan, v)
          block = maps[d]
          if not block then
            block = { kind = "map", domain = d, values = {} }
            maps[d] = block
            plan.blocks[#plan.blocks + 1] = block
          end
          block.values[#block.values + 1] = v
        end
        v.block = block
      end
    end
  end
  for i, block in ipairs(plan.blocks) do block.number = i end
end

--- Arrays: outputs first, then parts of concats, then what crosses blocks; scratch rows are reused once their last reader ran.
local function assign_storage(plan, tile)
  local values = plan.values
  local function new_array(rows, output)
    local array = { rows = rows, output = output }
    plan.arrays[#plan.arrays + 1] = array
    return array
  end
  for _, o in ipairs(plan.outputs) do
    if o.place then
      values[o.value].storage = { array = new_array(values[o.value].size, o), row = 0 }
    end
  end
  local function last_use(v)
    local last = v.block and v.block.number or 0
    for _, user in ipairs(v.users) do
      if user.op == "concat" or views[user.op] then
        last = math.max(last, last_use(user))
      elseif user.block then
        last = math.max(last, user.block.number)
      end
    end
    return last
  end
  local function needs_array(v)
    if v.op == "concat" then return true end
    if views[v.op] or v.op == "batch_sum" or v.op == "outer" then return false end
    if v.block.kind == "product" then return true end
    for _, user in ipairs(v.users) do
      if user.op ~= "concat" and (user.block ~= v.block or crosses(plan, user, v)) then return true end
    end
    return false
  end
  -- In place: a product whose only reader is a pointwise value with an array of its own is computed there.
  local function heir(v)
    if v.block and v.block.kind == "product" and #v.users == 1 then
      local user = v.users[1]
      if user.block and user.block.kind == "map" and domain(plan, user) == v.size and not reductions[user.op]
         and user.op ~= "batch_sum" and user.op ~= "matvec" and user.op ~= "matvec_t" and user.op ~= "pick"
         and not views[user.op] and user.size == v.size and user.storage and user.storage.array.output
         and not user.storage.array.output.accumulate then
        return user
      end
    end
  end
  local free = {}                                                -- scratch arrays by rows, with the block they are free after
  for _, v in ipairs(tile) do
    if v.op == "concat" and not v.storage then v.storage = { array = new_array(v.size), row = 0 } end
    if v.op == "concat" then
      local row = v.storage.row
      for _, a in ipairs(v.args) do
        values[a].storage = { array = v.storage.array, row = row }
        row = row + values[a].size
      end
    end
  end
  local by_block = {}
  for _, v in ipairs(tile) do
    if v.block then
      by_block[v.block.number] = by_block[v.block.number] or {}
      table.insert(by_block[v.block.number], v)
    end
  end
  for number = 1, #plan.blocks do
    for _, v in ipairs(by_block[number] or {}) do
      if not v.storage and needs_array(v) then
        local inherits = heir(v)
        if inherits then
          v.storage = inherits.storage
        elseif reductions[v.op] then
          v.storage = { array = { rows = 1, lane = true, name = nil, value = v }, row = 0 }
          plan.arrays[#plan.arrays + 1] = v.storage.array
        else
          local array
          for i, candidate in ipairs(free) do
            if candidate.rows == v.size and candidate.free_after < number then
              array = table.remove(free, i)
              break
            end
          end
          array = array or new_array(v.size)
          array.free_after = last_use(v)
          free[#free + 1] = array
          v.storage = { array = array, row = 0 }
        end
      end
    end
  end
end

--- options: gathers (outer products added to the same place become one), leaf (name -> parameter leaf), is_shared(field) ->
-- whether an output field is a shared vector.
function schedule.plan(g, options)
  local plan = { values = load_values(g), outputs = {}, blocks = {}, scalars = {}, partials = {}, sums = {}, arrays = {},
                 partial = 0, n_sums = 0, leaf = options.leaf }
  find_depths(plan.values)
  for _, o in ipairs(g:outputs()) do
    local base, index = o.name:match "^([%a_]+)%[(%d+)%]$"
    if not base then base, index = o.name:match "^([%a_]+)%.(.+)$" end
    local v = plan.values[o.value]
    local output = { field = o.name, base = base or o.name, index = math.tointeger(tonumber(index)) or index,
                     value = o.value, accumulate = o.accumulate, shared = v.kind == "shared" and options.is_shared(o.name) }
    output.place = output.base ~= "sums" and output.base ~= "grad" and not output.shared
    if output.place then
      if v.written or v.kind ~= "sample" or v.op == "input" or views[v.op] or reductions[v.op] or output.accumulate then
        output.value = add_copy(plan, v).id
      else
        v.written = true                                         -- a second place is filled by a copy
      end
    end
    plan.outputs[#plan.outputs + 1] = output
  end
  start_products(plan)
  make_places(plan)
  roots.find(plan, options.gathers)
  local ordered = order(plan)
  for _, v in ipairs(ordered) do
    if v.needed and v.kind == "shared" and #v.dims == 0 and v.depth == 0 then plan.scalars[#plan.scalars + 1] = v end
  end
  if plan.shared then
    plan.shared.order = {}
    for _, v in ipairs(ordered) do
      if plan.shared.values[v.id] then table.insert(plan.shared.order, v) end
    end
  end
  local tile = assign_levels(plan, ordered)
  make_blocks(plan, tile)
  assign_storage(plan, tile)
  if plan.accumulates then plan.partial = options.gradient_size end
  return plan
end

return schedule
