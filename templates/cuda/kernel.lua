--- The shape of a CUDA kernel: a block is a worker; its threads are the lanes of a tile, times the members of the team
-- that shares it.
--
--   <symbol>_tile    launched with a block for each of args.workers, which goes through its tiles; with a list of args, as if it
--                    were launched with one after another
--   <symbol>_shared  a block for each chunk of LRNDE_CHUNK elements
--
-- Steps of wide models have a second form, for clusters of blocks: cluster.lua.
--
-- A block has as many threads as the kernel's launch bound, which the driver asks for.  Fewer blocks are right too, but take
-- longer.  The phases are functions of their own, which model.cu.in also calls where a whole integration is one launch; so
-- what is per sample is not const __restrict__: a later step reads what an earlier one wrote.

local backends = require "backends"
local emit = require "emit"
local cluster = backends.run "templates/cuda/cluster.lua"
local products = backends.run "templates/cuda/products.lua"
local writer = require "writer"
local shape = {}

local PRIVATE_ROWS <const> = 64     -- in a team of one, arrays of up to so many rows are the thread's, others in the workspace
local TEAM_UNROLL <const> = 4       -- features of which a member of a team has the loads under way at once
local FOLLOWED <const> = 8          -- rows of a product whose sums a thread keeps while a loop makes its terms
local UNROLL <const> = 16           -- loops over so few features are unrolled, so that their arrays are registers; longer ones
                                    -- partly: of an unrolled loop over tiles the compiler hoists all weights into registers

--- The first element of rows as a thread sees them, and the distance from one to the next.
local function lane_rows(base, row, array)
  if array and array.private then return row == 0 and base or ("%s + %d"):format(base, row), "1" end
  return row == 0 and base or ("%s + %d * T"):format(base, row), "T"
end

--- The same as arguments of a product.  A team's arrays are all alike, so that only a lone thread's need the distance.
local function product_rows(e, base, row, array)
  local first, stride = lane_rows(base, row, array)
  return e.backend.team > 1 and first or ("%s, %s"):format(first, stride)
end

--- Begins the loop over n features, or what only one member does.
local function feature_loop(e, n, out)
  if e.backend.team > 1 then
    if n > e.backend.team then out:add(0, "#pragma unroll %d", TEAM_UNROLL) end
    out:add(3, n == 1 and "if (member == 0) {" or "for (int i = member; i < %d; i += TEAM) {", n)
  elseif n == 1 then
    out:add(3, "{")
  else
    out:add(0, n <= UNROLL and "#pragma unroll" or "#pragma unroll 4")
    out:add(3, "for (int i = 0; i < %d; i++) {", n)
  end
end

--- Where a product of few rows comes right after the loop that makes its terms, and nobody else reads these, the loop adds them
-- to its sums, and there is no array of them.
local function follows(e, block, after)
  local v = after and after.kind == "product" and after.value
  if not v or e.backend.team > 1 or not v.op:match "^matvec" or v.size > FOLLOWED then return false end
  local x = e.plan.values[v.args[2]]
  return x.block == block and #x.users == 1 and x.size == block.domain and x.storage and not x.storage.array.output
end

--- Begins with the sums of the product, and says what a term adds and where they go.
local function begin_sums(e, v, out)
  local plan, name = e.plan, e:fresh("sum", v.id)
  local w, x = plan.values[v.args[1]], plan.values[v.args[2]]
  local start, transposed, array = v.args[3] and e:operand(plan.values[v.args[3]], v.block), v.op == "matvec_t", v.storage.array
  local cols, adds, ends = w.dims[2], {}, {}
  x.storage = nil
  out:add(3, "/* %s = %s%s x%s, while the loop makes x */", v.name or e:name(v), w.name:gsub("^params%.", ""),
          transposed and "^T" or "", start and " + " .. start or "")
  out:add(3, "accumulator %s[%d]%s;", name, v.size, start and "" or " = {}")
  if start then
    feature_loop(e, v.size, out)
    for _, line in ipairs(v.block.row_order or {}) do out:add(4, "const real %s = %s;", line.name, line.text) end
    out:add(4, "%s[%s] = %s;", name, v.size > 1 and "i" or "0", start)
    out:add(3, "}")
  end
  for r = 0, v.size - 1 do
    local at = transposed and ("i * %d + %d"):format(cols, r) or r == 0 and "i" or ("%d + i"):format(r * cols)
    adds[r + 1] = ("%s[%d] = fma((accumulator)%s[%s], (accumulator)%s, %s[%d]);"):format(
      name, r, e:pointer(w.name), at, e:name(x), name, r)
    ends[r + 1] = ("%s = (real)%s[%d];"):format(e.backend.load(e:array_name(array), v.storage.row + r, false, array), name, r)
  end
  return adds, ends
end

local function map_block(e, block, out, product)
  local adds, ends = {}, {}
  if product then adds, ends = begin_sums(e, product, out) end
  local parts, pointers = e:map_statements(block), {}
  local sums, lane, reduce = e:batch_sums(block), parts.lane, parts.reduce
  local apart = parts.repeats and block.domain == 1
  for _, sum in ipairs(sums) do apart = apart and sum.type ~= "double" end -- not the end of a kernel
  for _, sum in ipairs(sums) do
    local name, to = e:fresh("b" .. sum.id, sum.id), ("%s[%d%s]"):format(sum.array, sum.at, sum.rows and " + i" or "")
    if apart then
      local pointer = e:fresh("p" .. sum.id, sum.id)
      pointers[#pointers + 1] = { pointer, ("%s + %d"):format(sum.array, sum.at) }
      to = pointer .. "[0]"
    end
    lane[#lane + 1] = ("const %s %s = lrnde_lane_sum(valid ? %s : (%s)0);"):format(sum.type, name, sum.text, sum.type)
    lane[#lane + 1] = ("if (l == 0) %s += %s;"):format(to, name)
  end
  if #lane == 0 then return end
  local team = e.backend.team
  if team > 1 then out:add(3, "lrnde_meet();") end
  for _, formula in ipairs(parts.formulas) do out:add(3, "%s", formula) end
  for _, r in ipairs(reduce) do out:add(3, "%s %s = %s;", r.type, r.name, r.init) end
  feature_loop(e, block.domain, out)
  local body = writer.new()
  for _, row in ipairs(block.row_order or {}) do body:add(0, "const real %s = %s;", row.name, row.text) end
  for _, line in ipairs(lane) do body:add(0, "%s", line) end
  for _, line in ipairs(adds) do body:add(0, "%s", line) end
  if apart then out:place(4, body, e, parts.written, pointers) else out:append(4, body) end
  out:add(3, "}")
  for _, line in ipairs(ends) do out:add(3, "%s", line) end
  for i, r in ipairs(team > 1 and reduce or {}) do
    if r.kind == "argmax" then
      out:add(3, "%s = lrnde_team_argmax(%s, %s);", r.name, r.name, reduce[i + 1].name)
    elseif r.kind ~= "best" then
      out:add(3, "%s = lrnde_team_%s(%s);", r.name, r.kind, r.name)
    end
  end
end

--- Factors of the lane's matrix, or a solution with them.
local function solve_block(e, v, out)
  local n, args = v.size, {}
  if v.op == "lu" then n = v.size - e.plan.values[v.args[1]].size end
  for i, id in ipairs(v.args) do args[i] = ("%s, %s"):format(lane_rows(e:rows(e.plan.values[id]))) end
  local to, stride = lane_rows(e:array_name(v.storage.array), v.storage.row, v.storage.array)
  out:add(3, "lrnde_%s(%d, %s, %s, %s);", v.op, n, table.concat(args, ", "), to, stride)
end

--- Whether a batch sum, one of plan.partials, is in the place of what a worker had there before its first tile: outer products
-- that a kernel with a shared phase has a place of their own for.
local function overwrites(plan, backend, p)
  local there = 0
  for _, q in ipairs(plan.partials) do there = there + (q.at == p.at and 1 or 0) end
  return plan.shared and backend.gathers and plan.values[p.value].op == "outer" and there == 1
end

--- Outer products of per-sample vectors, summed over the valid lanes: a lone warp's one by one, a team's together.
local function outer_block(e, v, out)
  local ys, xs, m, n = {}, {}, 0, 0
  for i = 1, #v.args, 2 do
    local y, x = e.plan.values[v.args[i]], e.plan.values[v.args[i + 1]]
    m, n, ys[#ys + 1], xs[#xs + 1] = y.size, x.size, product_rows(e, e:rows(y)), product_rows(e, e:rows(x))
  end
  for _, p in ipairs(e.plan.partials) do
    if p.value == v.id and e.backend.gathers then
      out:add(3, "{")
      out:add(4, "const real *const ys[] = {%s}, *const xs[] = {%s};", table.concat(ys, ", "), table.concat(xs, ", "))
      out:add(4, "lrnde_outer(partial + %d, %d, %d, %d, ys, xs, valid, %s);", p.at, m, n, #ys,
              overwrites(e.plan, e.backend, p) and "tile == begin" or "false")
      out:add(3, "}")
    elseif p.value == v.id then
      out:add(3, "lrnde_outer(partial + %d, %d, %d, %s, %s, valid);", p.at, m, n, ys[1], xs[1])
    end
  end
end

--- One matrix product, or an outer product summed over the valid lanes.
local function product_block(e, block, out)
  local plan, v = e.plan, block.value
  if e.backend.team > 1 then out:add(3, "lrnde_meet();") end
  if v.op:match "^lu" then return solve_block(e, v, out) end
  if v.op == "outer" then
    return outer_block(e, v, out)
  end
  local w, x = plan.values[v.args[1]], plan.values[v.args[2]]
  if w.op ~= "input" then error("the matrix of a product must be a parameter", 0) end
  local transposed = v.op == "matvec_t"
  local array, row = v.storage.array, v.storage.row
  local from, to = product_rows(e, e:rows(x)), product_rows(e, e:array_name(array), row, array)
  local start = v.args[3] and e:operand(plan.values[v.args[3]], block)
  local rows, cols = w.dims[1], w.dims[2]
  out:add(3, "/* %s = %s%s x%s */", v.name or e:name(v), w.name:gsub("^params%.", ""), transposed and "^T" or "",
          start and " + " .. start or "")
  if start then
    feature_loop(e, v.size, out)
    for _, line in ipairs(block.row_order or {}) do out:add(4, "const real %s = %s;", line.name, line.text) end
    out:add(4, "%s = %s;", e.backend.load(e:array_name(array), row, v.size > 1, array), start)
    out:add(3, "}")
    if e.backend.team > 1 then out:add(3, "lrnde_meet();") end
  end
  local terms, shape = transposed and rows or cols, ""
  if e.backend.team > 1 then
    v.terms, v.shape = terms, products.shape(v.size, terms, e.backend.tile, e.backend.bytes, e.backend.ways)
    e.backend.multiplied[v.shape.way] = true
    shape = ("<%s, %d, %d>"):format(products.STRUCT[v.shape.way], v.shape.rows, v.shape.split)
  end
  out:add(3, "lrnde_product%s(%d, %d, %s, %s, %s, %s, %s);", shape, v.size, terms, e:pointer(w.name),
          transposed and ("1, %d"):format(cols) or ("%d, 1"):format(cols), from, to, start and "true" or "false")
end

--- An entry point, a kernel for the driver: what is outside of all of them, in model.cu.in too, is functions, which cost little
--- to compile where they are not called.
local function begin_entry(out, name, threads, arguments)
  out:add(0, "#if !defined LRNDE_ONLY || defined LRNDE_ONLY_%s", name)
  out:add(0, 'extern "C" __global__ void __launch_bounds__(%s, 1) %s(%s)', threads, name, arguments)
  out:add(0, "{")
end

local function end_entry(out)
  out:add(0, "}")
  out:add(0, "#endif")
end

--- The entry of a tile phase.  What a block does with one of the list depends on no other block, so that it can go on to the
-- next, unless there is a shared phase: then there is one.  Its threads meet where a loop begins.
local function tile_entry(name, out)
  begin_entry(out, name .. "_tile", "T * TEAM", "const char *list, int64_t n, int64_t stride")
  out:add(1, "for (int64_t i = 0; i < n; i++) %s((const lrnde_args *)(list + i * stride));", name)
  end_entry(out)
end

local function shared_function(e, name, out)
  local plan = e.plan
  e:begin_function()
  local body, pointers, sums = e:shared_statements()
  out:add(0, "")
  out:add(0, "static __device__ __forceinline__ void %s_share(const lrnde_args *a)", name)
  out:add(0, "{")
  e:declare_scalars(out)
  for _, p in ipairs(pointers) do
    out:add(1, "%sreal *%s = %s;", p.writable and "" or "const ", p.name, e.fields:pointer(p.field, 0, false))
  end
  out:add(1, "for (int chunk = blockIdx.x; chunk * LRNDE_CHUNK < %d; chunk += gridDim.x) {", plan.shared.size)
  for q = 0, plan.n_sums - 1 do if sums[q] then out:add(2, "double s%d = 0;", q) end end
  out:add(2, "const int next = (chunk + 1) * LRNDE_CHUNK, end = next < %d ? next : %d;", plan.shared.size, plan.shared.size)
  out:add(2, "for (int e = chunk * LRNDE_CHUNK + threadIdx.x; e < end; e += blockDim.x) {")
  for _, line in ipairs(body) do out:add(3, "%s", line) end
  out:add(2, "}")
  for q = 0, plan.n_sums - 1 do
    local total = "0"
    if sums[q] then
      out:add(2, "s%d = lrnde_block_sum(s%d);", q, q)
      total = "s" .. q
    end
    out:add(2, "if (threadIdx.x == 0) a->sums[((size_t)a->tiles + chunk) * %d + %d] = %s;", plan.n_sums, q, total)
  end
  out:add(1, "}")
  out:add(0, "}")
  out:add(0, "")
  begin_entry(out, name .. "_shared", "MOST_THREADS", "const lrnde_args *args")
  out:add(1, "%s_share(args);", name)
  end_entry(out)
end

--- Declares the pointers of a tile kernel to shared inputs, or to per-sample ones, which begin at the thread's lane.
local function declare_inputs(e, inputs, kind, indent, out)
  for _, p in ipairs(e.pointer_order or {}) do
    local v = inputs[p.field]
    if v.kind == kind then
      local sample = kind == "sample"
      out:add(indent, "const real *%s%s = %s%s; /* (%s%s) */", sample and "" or "__restrict__ ", p.name,
              e.fields:pointer(p.field, v.size, sample),
              sample and " + l" or "", table.concat(v.dims, ", "), sample and (#v.dims > 0 and ", T" or "T") or "")
    end
  end
end

local function tile_function(e, name, out)
  local plan, inputs, work = e.plan, e:inputs(), 0
  local body, scalars, arrays = writer.new(), writer.new(), writer.new()
  for _, array in ipairs(plan.arrays) do
    array.private = not array.output and not array.lane and e.backend.team == 1 and array.rows <= PRIVATE_ROWS
  end
  local followed
  for i, block in ipairs(plan.blocks) do
    local after = plan.blocks[i + 1]
    if block.kind == "map" then
      followed = follows(e, block, after) and after
      map_block(e, block, body, followed and followed.value)
    elseif block ~= followed then
      product_block(e, block, body)
    end
  end
  e:declare_scalars(scalars)
  for _, array in ipairs(plan.arrays) do
    if array.output then
      arrays:add(3, "real *__restrict__ %s = %s + l; /* (%d, T) */", e:array_name(array),
                 e.fields:pointer(array.output.field, array.rows, true), array.rows)
    elseif array.private and array.name then                    -- else nobody has asked for it
      arrays:add(3, "real %s[%d];", e:array_name(array), array.rows)
    elseif not (array.lane or array.private) then
      arrays:add(3, "real *%s = work + %d * T; /* (%d, T) */", e:array_name(array), work, array.rows)
      work = work + array.rows
    end
  end

  out:add(0, "static __device__ __forceinline__ void %s(const lrnde_args *a)", name)
  out:add(0, "{")
  out:add(1, "const int l = (int)threadIdx.x % T;")
  if e.backend.team > 1 then out:add(1, "const int member = lrnde_member();") end
  declare_inputs(e, inputs, "shared", 1, out)
  out:append(0, scalars)
  out:add(1, "for (int32_t worker = blockIdx.x; worker < a->workers; worker += gridDim.x) {")
  if work > 0 then out:add(2, "real *work = (real *)a->work + (size_t)worker * a->work_stride + l;") end
  if #plan.partials > 0 then
    out:add(2, "real *partial = (real *)a->partial + (size_t)worker * a->partial_stride; /* (%d) */", plan.partial)
  end
  out:add(2, "const int32_t begin = (int32_t)((int64_t)a->tiles * worker / a->workers);")
  out:add(2, "const int32_t end = (int32_t)((int64_t)a->tiles * (worker + 1) / a->workers);")
  out:add(2, "for (int32_t tile = begin; tile < end; tile++) {")
  if #plan.partials + #plan.sums > 0 then out:add(3, "const bool valid = tile * T + l < a->batch;") end
  if plan.n_sums > 0 then
    out:add(3, "double *sums = a->sums + (size_t)tile * %d;", plan.n_sums)
    for q = 0, plan.n_sums - 1 do out:add(3, "if (threadIdx.x == 0) sums[%d] = 0;", q) end
  end
  declare_inputs(e, inputs, "sample", 3, out)
  out:append(0, arrays)
  out:append(0, body)
  out:add(2, "}")
  out:add(1, "}")
  out:add(0, "}")
  out:add(0, "")
  tile_entry(name, out)
  return work
end

--- What of a worker's partial sums has to be zero before a kernel with a shared phase: { { at, count }.. }.
local function cleared(plan, backend)
  local list, at = {}, 0
  local function add(count) if count > 0 then list[#list + 1] = { at, count } end end
  local written = {}
  for _, p in ipairs(plan.partials) do
    if overwrites(plan, backend, p) then written[#written + 1] = { p.at, plan.values[p.value].size } end
  end
  table.sort(written, function(a, b) return a[1] < b[1] end)
  for _, w in ipairs(written) do
    add(w[1] - at)
    at = w[1] + w[2]
  end
  add(plan.partial - at)
  return list
end

--- The step of a wide model by clusters, if it has words for it and should be faster than blocks that the kernel is now of.
local function cluster_functions(plan, backend, fields, options, text)
  if options.title == "step" then
    local work, bytes = 0, 0
    for _, block in ipairs(plan.blocks) do
      local v = block.value
      if v and v.shape then work, bytes = work + v.shape.clocks, bytes + v.size * v.terms * backend.bytes end
    end
    backend.cluster = cluster.choose(options.again(), backend, (products.batch_clocks(backend.batch, backend.tile, work, bytes)))
  end
  if backend.cluster and (options.title == "step" or options.title == "step_tape") then
    local again = options.again()
    text:append(0, cluster.step(again, backend, fields, options, function(e, inputs, out)
      declare_inputs(e, inputs, "shared", 1, out)
    end))
  end
end

--- A kernel; options: those of emit.new, name and title; again(): the plan anew, for the kernel in another form.  Returns an
--- object with :text(), and what the descriptor says of the kernel.
function shape.kernel(plan, backend, fields, options)
  local e, text, work = emit.new(plan, backend, fields, options), writer.new(), 0
  local has_tile = #plan.blocks > 0 or #plan.partials > 0 or #plan.sums > 0
  if has_tile then work = tile_function(e, options.name, text) end
  if plan.shared then shared_function(e, options.name, text) end
  if backend.clusters then cluster_functions(plan, backend, fields, options, text) end
  return text, { tile = has_tile, shared = plan.shared and plan.shared.size, work = work * backend.tile, partial = plan.partial,
                        cleared = plan.shared and cleared(plan, backend), n_sums = plan.n_sums }
end

return shape
