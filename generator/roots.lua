--- What a kernel is for: its outputs traced back to sums over the batch, to the shared phase, to what the tile phase computes.
--
-- Sets plan.partials, plan.sums, plan.shared and value.needed (schedule.lua says what they are).

local roots = {}

--- The sums over the batch a kernel ends in, and the shared phase that reads them.
local function find_sums(plan)
  local values = plan.values
  local function accumulate(id, list, at)
    local v = values[id]
    if v.op == "add" then
      accumulate(v.args[1], list, at)
      accumulate(v.args[2], list, at)
    elseif v.op == "concat" then
      for _, a in ipairs(v.args) do
        accumulate(a, list, at)
        at = at + values[a].size
      end
    elseif v.op == "reshape" then
      accumulate(v.args[1], list, at)
    elseif v.op == "pad" then
      accumulate(v.args[1], list, at + v.attrs[1])
    elseif v.op == "outer" or v.op == "batch_sum" then
      list[#list + 1] = { value = id, at = at }
    elseif v.depth > 0 or v.op == "input" then
      error(("a gradient that is a '%s' of sums over the batch is beyond the shared phase"):format(v.op), 0)
    end                                                   -- else: zeros, which partial holds already
  end

  local shared = { loads = {}, outputs = {}, sums = {}, values = {} }
  local function load_shared(id)
    local v = values[id]
    if #v.dims == 0 and v.depth == 0 then return end
    if v.depth > 0 and (v.op == "outer" or v.op == "batch_sum" or v.op == "concat" or v.op == "reshape") then
      if not shared.loads[id] then
        shared.loads[id] = plan.partial
        accumulate(id, plan.partials, plan.partial)
        plan.partial = plan.partial + v.size
      end
      return
    end
    if shared.values[id] then return end
    shared.values[id] = true
    if v.op ~= "input" then for _, a in ipairs(v.args) do load_shared(a) end end
  end
  local function resize(n)
    if shared.size and shared.size ~= n then error("shared vectors of two sizes in one kernel") end
    shared.size = n
  end
  local function add_sum(id, index)
    local v = values[id]
    if v.op == "add" then
      add_sum(v.args[1], index)
      add_sum(v.args[2], index)
    elseif v.op == "batch_sum" then
      plan.sums[#plan.sums + 1] = { value = id, index = index }
    elseif v.op == "sum" then
      local of = values[v.args[1]]
      resize(of.size)
      load_shared(of.id)
      shared.sums[#shared.sums + 1] = { value = of.id, index = index }
    elseif not (v.op == "const" and v.number == 0) then
      error(("sums[%d] is a '%s', not a sum"):format(index, v.op))
    end
  end

  for _, o in ipairs(plan.outputs) do
    local v = values[o.value]
    if o.base == "sums" then
      plan.n_sums = math.max(plan.n_sums, o.index + 1)
      add_sum(v.id, o.index)
    elseif o.base == "grad" then
      plan.accumulates = true
      accumulate(v.id, plan.partials, plan.leaf(o.index).offset)
    elseif v.kind == "shared" and o.shared then
      resize(v.size)
      load_shared(v.id)
      shared.outputs[#shared.outputs + 1] = o
    end
  end
  if shared.size then plan.shared = shared end
end

--- Outer products that are added to the same place become the last of them: its arguments are those of all, two by two.  What is
-- added to is then read and written once, not once a stage.
local function gather(plan)
  local groups, order, places = {}, {}, {}
  for _, p in ipairs(plan.partials) do
    local v = plan.values[p.value]
    local group = v.op == "outer" and groups[p.at]
    if v.op == "outer" and not group then
      group = {}
      groups[p.at], order[#order + 1] = group, group
    end
    if group then group[#group + 1] = p end
    places[p.value] = places[p.value] and places[p.value] ~= p.at and "several" or p.at
  end
  local dropped = {}
  for _, group in ipairs(order) do
    local args, last, several = {}, group[1], false
    for _, p in ipairs(group) do
      table.move(plan.values[p.value].args, 1, 2, #args + 1, args)
      if p.value > last.value then last = p end
      several = several or places[p.value] == "several"
    end
    if not several then
      for _, p in ipairs(group) do dropped[p] = p ~= last end
      plan.values[last.value].args = args
    end
  end
  local kept = {}
  for _, p in ipairs(plan.partials) do if not dropped[p] then kept[#kept + 1] = p end end
  plan.partials = kept
end

--- Marks what the tile phase needs.
local function mark_needed(plan)
  local function need(id)
    local v = plan.values[id]
    if v.needed then return end
    v.needed = true
    for _, a in ipairs(v.args) do need(a) end
  end
  for _, p in ipairs(plan.partials) do need(p.value) end
  for _, s in ipairs(plan.sums) do need(s.value) end
  for _, o in ipairs(plan.outputs) do if o.place then need(o.value) end end
  if plan.shared then
    for id in pairs(plan.shared.values) do                       -- its scalars
      for _, a in ipairs(plan.values[id].args) do
        if #plan.values[a].dims == 0 then need(a) end
      end
    end
  end
end

--- plan: with values and outputs; gathers: are outer products added to the same place to be one?
function roots.find(plan, gathers)
  find_sums(plan)
  if gathers then gather(plan) end
  mark_needed(plan)
end

return roots
