--- A step of a wide model by clusters of blocks (cluster.cuh): the blocks of a cluster share some samples and hold all weights in
-- their shared memory, each its part, from the first step of a launch to the last.
--
-- Arrays of at least `sliced` features are divided among the blocks, a thread's part of them in registers; of smaller ones every
-- block has all.  A product either has its rows divided (of a small array a divided one) or its terms, and then the blocks add
-- up what each of them has: the one time that they meet.  How many blocks and samples, what is divided and how a block divides
-- its products: whatever should take the fewest clocks (products.lua), as far as shared memory and registers go.
--
-- The contract of the kernel is that of the step of a block alone: the same arrays in the same places, so that it can take its
-- place in a run.  What this form has no words for (anything but loops over features and products with parameters) is left
-- to the block.

local backends = require "backends"
local emit = require "emit"
local products = backends.run "templates/cuda/products.lua"
local writer = require "writer"

local cluster = {}

local SIZES <const>, LANES <const> = { 2, 4, 8 }, { 8, 16, 32 }    -- blocks; samples
local SHARED <const> = products.SHARED - 2048                      -- bytes; the rest is for sums over a block and the system's
local REGISTERS <const> = 150                                      -- of 255, for arrays

local WITHOUT_WORDS <const> = { pick = true, scatter = true, rowmax = true, argmax = true, matvec = true, matvec_t = true,
                                index = true, slice = true, concat = true, pad = true }

local RESERVED <const> = { "q", "x", "y", "weights", "partial", "rank", "lane", "group", "groups", "wanted", "CLUSTER", "LANES",
                           "MEMBERS", "THREADS" }

local function quotient_up(a, b) return (a + b - 1) // b end

local function is_product(block) return block.kind == "product" end

--- The numbers of a lane whose sum over the batch is wanted, by their array; nil if a block does something else.
local function sums_only(plan, block)
  local list = {}
  for _, v in ipairs(block.values) do
    local of = v.op == "batch_sum" and plan.values[v.args[1]]
    if not of or of.op ~= "sum" or not of.storage or not of.storage.array.lane then return nil end
    list[#list + 1] = of
  end
  return list
end

--- Whether this form has words for a value of a loop over so many features.
local function has_words(plan, v, domain)
  if WITHOUT_WORDS[v.op] or (v.storage and (v.storage.row > 0 or v.storage.array.output
                                                   and v.storage.array.output.accumulate)) then return false end
  for _, user in ipairs(v.op == "sum" and v.users or {}) do if user.op ~= "batch_sum" then return false end end
  for _, id in ipairs(v.args) do
    local of = plan.values[id]
    if of.kind == "sample" and (of.size ~= domain or WITHOUT_WORDS[of.op] and not is_product(of.block)) then return false end
  end
  return v.op == "sum" or v.size == domain
end

--- The distinct products of a plan with parameters, { w, m, n, transposed, times }, and the features of its arrays; nil if there
-- are none or the plan has other things.
local function describe(plan)
  local list, by_key, sizes = {}, {}, {}
  if #plan.partials > 0 or plan.shared then return nil end
  for _, block in ipairs(plan.blocks) do
    local v = block.value
    if is_product(block) then
      local w = plan.values[v.args[1]]
      if not v.op:match "^matvec" or w.op ~= "input" or v.storage.row > 0 then return nil end
      local transposed = v.op == "matvec_t"
      local key = w.name .. (transposed and "^T" or "")
      if not by_key[key] then
        by_key[key] = { key = key, w = w, transposed = transposed, m = v.size, n = w.dims[transposed and 1 or 2], times = 0 }
        list[#list + 1] = by_key[key]
      end
      by_key[key].times = by_key[key].times + 1
      v.product = by_key[key]
    elseif block.domain > 1 then
      for _, value in ipairs(block.values) do if not has_words(plan, value, block.domain) then return nil end end
    elseif not sums_only(plan, block) then
      return nil
    end
  end
  for _, array in ipairs(plan.arrays) do if not array.lane then sizes[#sizes + 1] = array.rows end end
  for _, v in pairs(plan.values) do if v.op == "input" and v.kind == "sample" then sizes[#sizes + 1] = v.size end end
  table.sort(sizes)
  return #list > 0 and { products = list, sizes = sizes } or nil
end

--- What a way to divide takes with these shapes of its products: fields of divide's.
local function measure(way, d, shapes, backend)
  local accumulated = backend.accumulator == "double" and 8 // backend.bytes or 1
  way.shapes, way.clocks, way.weights, way.x, way.y, way.partial = {}, 0, 0, 0, 0, 0
  for i, p in ipairs(d.products) do
    local part, s = way.parts[i], shapes[i]
    way.shapes[p.key] = { by_rows = part.by_rows, m = part.m, n = part.n, at = way.weights // backend.bytes, of = s }
    way.weights = way.weights + s.bytes
    way.x = math.max(way.x, s.blocks * products.DEPTH * way.lanes, s.sums * accumulated)
    local place = part.by_rows and "y" or "partial"
    way[place] = math.max(way[place], s.groups * s.height * way.lanes)
    local gather = part.by_rows and 0 or products.gather_clocks(part.m, way.lanes, way.size, backend.bytes)
    way.clocks = way.clocks + p.times * (s.clocks + gather)
  end
  way.bytes = way.weights + (way.x + way.y + 2 * way.partial) * backend.bytes
  way.fits = way.bytes <= SHARED and way.registers <= REGISTERS
end

--- A way to divide: { size = blocks, lanes, sliced, parts = by_rows, m and n of each product, fits, clocks, shapes = by product,
-- weights, x, y, partial, bytes }; nil if a product has no shape.  Where the fastest shapes do not fit, the next smaller one of
-- the product that loses least by it is taken.
local function divide(d, size, lanes, sliced, backend)
  local way = { size = size, lanes = lanes, sliced = sliced, members = products.WARPS * 32 // lanes, parts = {}, registers = 0 }
  local lists, shapes, at = {}, {}, {}
  for _, n in ipairs(d.sizes) do
    local part = n >= sliced and quotient_up(n, size) or n
    way.registers = way.registers + quotient_up(part, way.members) * (backend.bytes // 4)
  end
  for i, p in ipairs(d.products) do
    local by_rows = p.m >= sliced and p.n < sliced
    local m, n = by_rows and quotient_up(p.m, size) or p.m, by_rows and p.n or quotient_up(p.n, size)
    way.parts[i] = { by_rows = by_rows, m = m, n = n }
    lists[i], at[i] = products.resident(m, n, lanes, backend.bytes, backend.ways), 1
    shapes[i] = lists[i][1]
    if not shapes[i] then return nil end
  end
  measure(way, d, shapes, backend)
  while not way.fits do
    local cheapest, least
    for i, p in ipairs(d.products) do
      local next = lists[i][at[i] + 1]
      local lost = next and p.times * (next.clocks - shapes[i].clocks)
      if lost and (not least or lost < least) then cheapest, least = i, lost end
    end
    if not cheapest then break end
    at[cheapest] = at[cheapest] + 1
    shapes[cheapest] = lists[cheapest][at[cheapest]]
    measure(way, d, shapes, backend)
  end
  way.batch_clocks = quotient_up(quotient_up(backend.batch, lanes) * size, products.MULTIPROCESSORS) * way.clocks
  return way
end

--- The fastest way to divide a step that fits, if that should be faster than so many clocks; nil if there is none.
function cluster.choose(plan, backend, clocks)
  local d, best = describe(plan), nil
  for _, size in ipairs(d and SIZES or {}) do
    for _, lanes in ipairs(LANES) do
      for i, sliced in ipairs(lanes % backend.tile == 0 and d.sizes or {}) do
        local way = sliced ~= d.sizes[i - 1] and divide(d, size, lanes, sliced, backend)
        if way and way.fits and way.batch_clocks < clocks then best, clocks = way, way.batch_clocks end
      end
    end
  end
  return best
end

--- Begins the loop over this thread's part of n features.
local function feature_loop(way, domains, n, out)
  local part = n >= way.sliced and quotient_up(n, way.size) or nil
  if not domains[n] then
    local least = part and math.max(0, math.min(part, n - (way.size - 1) * part)) or n      -- what every block has at least
    domains[n] = { n = n, part = part, registers = quotient_up(part or n, way.members), whole = least // way.members }
    domains[#domains + 1] = domains[n]
  end
  out:add(0, "#pragma unroll")
  out:add(2, "for (int q = 0, i = first_%d; q < %d; q++, i += MEMBERS) {", n, domains[n].registers)
  if domains[n].whole < domains[n].registers then out:add(3, "if (q >= %d && i >= end_%d) continue;", domains[n].whole, n) end
end

--- What is an output goes to its place too; of what all blocks have, the first one's.
local function write_outputs(e, way, values, out)
  for _, v in ipairs(values) do
    local array = v.storage and v.storage.array
    if array and array.output and v.op ~= "sum" then
      out:add(3, "%s%s_out[i * T] = %s[q];", v.size >= way.sliced and "" or "if (rank == 0) ", e:array_name(array),
              e:array_name(array))
    end
  end
end

local function map_block(e, way, domains, block, out)
  local sums = block.domain == 1 and sums_only(e.plan, block)
  for i, of in ipairs(sums or {}) do
    local count = e.plan.values[of.args[1]].size >= way.sliced and "valid" or "valid && rank == 0"
    local name = e:fresh("b" .. of.id, of.id)
    out:add(2, "const double %s = lrnde_block_sum(%s ? %s : 0);", name, count, e:array_name(of.storage.array))
    for _, s in ipairs(e.plan.sums) do
      if s.value == block.values[i].id then out:add(2, "if (threadIdx.x == 0) sums[%d] += %s;", s.index, name) end
    end
  end
  if sums then return end
  local parts = e:map_statements(block)
  for _, formula in ipairs(parts.formulas) do out:add(2, "%s", formula) end
  for _, r in ipairs(parts.reduce) do out:add(2, "%s %s = %s;", r.type, r.name, r.init) end
  feature_loop(way, domains, block.domain, out)
  for _, row in ipairs(block.row_order or {}) do out:add(3, "const real %s = %s;", row.name, row.text) end
  for _, line in ipairs(parts.lane) do out:add(3, "%s", line) end
  write_outputs(e, way, block.values, out)
  out:add(2, "}")
end

--- turn: how many products with divided terms came before.
local function product_block(e, way, domains, block, turn, out)
  local v = block.value
  local x, shape, array = e.plan.values[v.args[2]], way.shapes[v.product.key], e:array_name(v.storage.array)
  local start = v.args[3] and e:operand(e.plan.values[v.args[3]], block)
  local name, s = e:rows(x), shape.of
  out:add(2, "/* %s = %s x%s */", v.name or e:name(v), v.product.key:gsub("^params%.", ""), start and " + " .. start or "")
  feature_loop(way, domains, x.size, out)
  local multiply = products.STRUCT[s.way]
  e.backend.multiplied[s.way] = true
  if shape.by_rows or x.size >= way.sliced then
    out:add(3, "x[%s::place<LANES>(q * MEMBERS + member, l)] = %s[q];", multiply, name)
  else
    out:add(3, "if (i / %d == rank) x[%s::place<LANES>(i - rank * %d, l)] = %s[q];", shape.n, multiply, shape.n, name)
  end
  out:add(2, "}")
  local to = shape.by_rows and "y" or ("partial + %d"):format(turn % 2 * way.partial)
  local count = shape.by_rows and tostring(x.size) or ("lrnde_part(%d, %d, rank)"):format(x.size, shape.n)
  out:add(2, "lrnde_resident<%s, %d, %d, %d, %d>(weights + %d, %s, x, %s);", multiply, s.rows, s.split, s.groups,
          s.blocks, shape.at, count, to)
  out:add(2, shape.by_rows and "__syncthreads();" or "lrnde_cluster_meet();")
  feature_loop(way, domains, v.size, out)
  for _, row in ipairs(block.row_order or {}) do out:add(3, "const real %s = %s;", row.name, row.text) end
  local sum = shape.by_rows and "y[q * THREADS + threadIdx.x]" or ("lrnde_gather(%s, i * LANES + l)"):format(to)
  out:add(3, "%s[q] = %s%s;", array, start and start .. " + " or "", sum)
  write_outputs(e, way, { v }, out)
  out:add(2, "}")
  return shape.by_rows and turn or turn + 1
end

--- Copies weights to where this launch has them.
local function settle_function(e, way, d, name, out)
  out:add(0, "static __device__ void %s_settle(const lrnde_args *a)", name)
  out:add(0, "{")
  out:add(1, "const int rank = lrnde_cluster_rank();")
  for _, p in ipairs(d.products) do
    local shape, cols = way.shapes[p.key], p.w.dims[2]
    local from = ("%s, %s"):format(e.fields:pointer(p.w.name, p.w.size, false), p.transposed and "1, " .. cols or cols .. ", 1")
    local i, j = "0", "0"
    if shape.by_rows then i = "rank * " .. shape.m else j = "rank * " .. shape.n end
    out:add(1, "lrnde_settle<%d, %d, %d>((real *)lrnde_room + %d, %s, %s, %d, %d, %s, %d, %d); /* %s */", shape.of.rows,
            shape.of.groups, shape.of.blocks, shape.at, from, i, p.m, shape.m, j, p.n, shape.n, p.key:gsub("^params%.", ""))
  end
  out:add(0, "}")
  out:add(0, "")
end

--- The functions <name>_settle and <name>_cluster of a plan that was made for this form alone.
function cluster.step(plan, backend, fields, options, declare_shared)
  local way, domains, turn = backend.cluster, {}, 0
  local function load_own(base, _, _, array) return array and array.lane and "(real)" .. base or base .. "[q]" end
  local reserved = table.move(backend.reserved, 1, #backend.reserved, #RESERVED + 1, { table.unpack(RESERVED) })
  local spelling = setmetatable({ load = load_own, reserved = reserved }, { __index = backend })
  local d, e = describe(plan), emit.new(plan, spelling, fields, options)
  local body, text, scalars = writer.new(), writer.new(), writer.new()
  for _, block in ipairs(plan.blocks) do
    if is_product(block) then
      turn = product_block(e, way, domains, block, turn, body)
    else
      map_block(e, way, domains, block, body)
    end
  end
  e:declare_scalars(scalars)
  local inputs, arrays = e:inputs(), writer.new()
  for _, p in ipairs(e.pointer_order or {}) do
    local v = inputs[p.field]
    if v.kind == "sample" then
      feature_loop(way, domains, v.size, arrays)
      arrays:add(3, "%s[q] = (%s + lane)[i * T];", p.name, fields:pointer(p.field, v.size, true))
      arrays:add(2, "}")
    end
  end
  settle_function(e, way, d, options.name, text)
  text:add(0, "static __device__ __forceinline__ void %s_cluster(const lrnde_args *a)", options.name)
  text:add(0, "{")
  text:add(1, "const int l = (int)threadIdx.x % LANES, lane = l % T, member = (int)threadIdx.x / LANES, "
              .. "rank = lrnde_cluster_rank();")
  text:add(1, "real *const weights = (real *)lrnde_room, *const x = weights + X_AT, *const y = weights + Y_AT, "
              .. "*const partial = weights + PARTIAL_AT;")
  for _, domain in ipairs(domains) do
    if domain.part then
      text:add(1, "const int first_%d = rank * %d + member, end_%d = rank * %d + lrnde_part(%d, %d, rank);", domain.n,
               domain.part, domain.n, domain.part, domain.n, domain.part)
    else
      text:add(1, "const int first_%d = member, end_%d = %d;", domain.n, domain.n, domain.n)
    end
  end
  declare_shared(e, inputs, text)
  text:append(0, scalars)
  text:add(1, "const int32_t groups = (a->tiles + LANES / T - 1) / (LANES / T);")
  text:add(1, "for (int32_t group = (int32_t)blockIdx.x / CLUSTER; group < groups; group += (int32_t)gridDim.x / CLUSTER) {")
  text:add(2, "const int32_t wanted = group * (LANES / T) + l / T, tile = wanted < a->tiles ? wanted : a->tiles - 1;")
  text:add(2, "const bool valid = wanted < a->tiles && tile * T + lane < a->batch;")
  text:add(2, "double *sums = a->sums + ((size_t)group * CLUSTER + rank) * %d;", plan.n_sums)
  for q = 0, plan.n_sums - 1 do text:add(2, "if (threadIdx.x == 0) sums[%d] = 0;", q) end
  for _, p in ipairs(e.pointer_order or {}) do
    if inputs[p.field].kind == "sample" then
      text:add(2, "real %s[%d]; /* (%d) */", p.name, domains[inputs[p.field].size].registers, inputs[p.field].size)
    end
  end
  for _, array in ipairs(plan.arrays) do
    if not array.lane then
      text:add(2, "real %s[%d]; /* (%d) */", e:array_name(array), domains[array.rows].registers, array.rows)
      if array.output then
        text:add(2, "real *__restrict__ %s_out = %s + lane; /* (%d, T) */", e:array_name(array),
                 fields:pointer(array.output.field, array.rows, true), array.rows)
      end
    end
  end
  text:append(0, arrays)
  text:append(0, body)
  if turn % 2 == 1 then
    text:add(2, "lrnde_cluster_meet(); /* before the next samples' first sums, the last have been read */")
  end
  text:add(1, "}")
  text:add(0, "}")
  return text
end

return cluster
