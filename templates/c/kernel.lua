--- The shape of a C kernel: a function over tiles, a loop nest a block, and a function over elements for the shared phase.

local emit = require "emit"
local sparsity = require "sparsity"
local writer = require "writer"
local shape = {}

local LARGE_SYSTEM <const> = 32 -- equations from which LAPACK factorises faster than a loop over the lanes: measured, 8 lanes
local STACK_ROWS = 64         -- arrays up to this many rows live on the stack, larger ones in the workspace

--- Sums over the batch: the lanes of a block's values, kept in arrays that are added after the lane loop, through a pointer
-- where a function may have to.
local function batch_sums(e, block, parts)
  for _, sum in ipairs(e:batch_sums(block)) do
    local rows = e:fresh("b" .. sum.id, sum.id)
    table.insert(parts.before, ("%s %s[T];"):format(sum.type, rows))
    table.insert(parts.lane, ("%s[l] = %s;"):format(rows, sum.text))
    local to = ("%s[%d]"):format(sum.array, sum.at)
    if sum.type == "double" then
      parts.repeats = false                                      -- the end of a kernel
    elseif sum.rows or parts.repeats then
      local pointer = e:fresh("p" .. sum.id, sum.id)
      table.insert(parts.pointers, { pointer, ("%s + %d"):format(sum.array, sum.at) })
      to = pointer .. (sum.rows and "[i]" or "[0]")
    end
    local precision = sum.type == "double" and "f64" or e.backend.precision
    table.insert(parts.after, ("%s += lrnde_lane_sum_%s(%s, lanes);"):format(to, precision, rows))
  end
end

--- A loop over rows, if there are several, and lanes.  Its parts: formulas in front; sums to reduce into, declared in front;
-- for each row declarations, statements over the lanes, statements after them; pointers made for it; names of arrays written.
local function map_block(e, block, out)
  local parts = e:map_statements(block)
  parts.before, parts.after, parts.pointers = {}, {}, {}
  local loops = block.domain > 1
  batch_sums(e, block, parts)
  if #parts.lane == 0 then return end
  for _, formula in ipairs(parts.formulas) do out:add(2, "%s", formula) end
  for _, r in ipairs(parts.reduce) do
    out:add(2, "%s %s[T];", r.type, r.name)
    out:add(2, "for (int l = 0; l < T; l++) %s[l] = %s;", r.name, r.init)
  end
  local body = writer.new()
  local braces = loops or #parts.before + #parts.after > 0
  local indent = braces and 1 or 0
  if braces then body:add(0, "%s", loops and ("for (int i = 0; i < %d; i++) {"):format(block.domain) or "{") end
  for _, row in ipairs(block.row_order or {}) do body:add(indent, "const real %s = %s;", row.name, row.text) end
  for _, line in ipairs(parts.before) do body:add(indent, "%s", line) end
  body:add(indent, "LRNDE_LANES for (int l = 0; l < T; l++) {")
  for _, line in ipairs(parts.lane) do body:add(indent + 1, "%s", line) end
  body:add(indent, "}")
  for _, line in ipairs(parts.after) do body:add(indent, "%s", line) end
  if braces then body:add(0, "}") end
  if parts.repeats then
    out:place(2, body, e, parts.written, parts.pointers)
  else
    for _, p in ipairs(parts.pointers) do out:add(2, "real *restrict %s = %s;", p[1], p[2]) end
    out:append(2, body)
  end
end

--- Where the rows of a value start.
local function place(base, row) return row == 0 and base or ("%s + %d * T"):format(base, row) end

--- Functions for systems of pattern s: <name>, <name>_solve, <name>_solve_t as lrnde_lu and so on (math.h), to the same bits.
-- They leave a tile of which partial pivoting exchanges rows to those.
local function sparse_functions(b, s, name)
  local out, n, precision = writer.new(), s.n, b.precision
  local function lanes(statements)
    out:add(1, "LRNDE_LANES for (int l = 0; l < T; l++) {")
    for _, line in ipairs(statements) do out:add(2, "%s", line) end
    out:add(1, "}")
  end
  local function solve(suffix, transposed)
    out:add(0, "LRNDE_ONCE static void %s_%s(const real *restrict f, const real *restrict b, real *restrict x)", name, suffix)
    out:add(0, "{")
    out:add(1, "int exchanges = 0;")
    out:add(1, "for (int i = 0; i < %d; i++)", n)
    out:add(2, "for (int l = 0; l < T; l++) exchanges |= f[(%d + i) * T + l] != (real)i;", n * n)
    out:add(1, "if (exchanges) {")
    out:add(2, "lrnde_lu_%s_%s(%d, f, b, x);", suffix, precision, n)
    out:add(2, "return;")
    out:add(1, "}")
    lanes(s:solve(b, transposed))
    out:add(0, "}")
  end
  local given, filled = s:entries()
  out:add(0, "/* %d equations: %d of %d entries can differ from zero, %d of the factors. */", n, given, n * n, filled)
  out:add(0, "LRNDE_ONCE static void %s(const real *restrict m, real *restrict f)", name)
  out:add(0, "{")
  out:add(1, "real exchanges[T], any = 0;")
  out:add(1, "for (int i = 0; i < %d * T; i++) f[i] = 0;", n * n)
  out:add(1, "for (int i = 0; i < %d; i++)", n)
  out:add(2, "for (int l = 0; l < T; l++) f[(%d + i) * T + l] = (real)i;", n * n)
  local statements = s:factorise(b)
  statements[#statements + 1] = "exchanges[l] = moved;"
  lanes(statements)
  out:add(1, "for (int l = 0; l < T; l++) any += exchanges[l];")
  out:add(1, "if (any > 0) lrnde_lu_%s(%d, m, f);", precision, n)
  out:add(0, "}")
  solve("solve", false)
  solve("solve_t", true)
  return out:text()
end

--- Factors of the lanes' matrices, or solutions with them.  v.solver: what --explain says of general ones.
local function solve_block(e, v, out)
  local b, n, args = e.backend, v.size, {}
  for i, id in ipairs(v.args) do args[i] = place(e:rows(e.plan.values[id])) end
  args[#args + 1] = place(e:array_name(v.storage.array), v.storage.row)
  local s = sparsity.get(v.attrs[1])
  if s then
    local name = e.loops:define(s, "lu", function(name) return sparse_functions(b, s, name) end)
    out:add(2, "%s%s(%s);", name, v.op:sub(3), table.concat(args, ", "))
    return
  end
  if v.op == "lu" then
    n = v.size - e.plan.values[v.args[1]].size
    v.solver = n >= LARGE_SYSTEM and "LAPACK" or "a loop over the lanes"
    if n >= LARGE_SYSTEM then
      local lanes = math.min(b.tile, 8)
      e.work = math.max(e.work, -((n * n * lanes + n) // -b.tile))
      out:add(2, "lrnde_lu_large_%s(%d, T, %s, work);", b.precision, n, table.concat(args, ", "))
      return
    end
  end
  out:add(2, "lrnde_%s_%s(%d, %s);", v.op, b.precision, n, table.concat(args, ", "))
end

local PRODUCT <const> = [[
LRNDE_WIDEST static void %s(const real *w, const real *x, const real *start, real *y)
{
    lrnde_product_%s(%s, x, start, y);
}
]]

--- The function for products of m rows of n terms with a matrix of such strides.
local function product_function(e, m, n, strides)
  local shape = ("%d, %d, w, %d, %d"):format(m, n, strides[1], strides[2])
  return e.loops:define(shape, "product", function(name) return PRODUCT:format(name, e.backend.precision, shape) end)
end

--- Outer products that are added to the same place, over the valid lanes only: in blocks if they are large.
local function outer_block(e, v, out)
  local plan, b, ys, xs, m, n = e.plan, e.backend, {}, {}, nil, nil
  for i = 1, #v.args, 2 do
    local y, x = plan.values[v.args[i]], plan.values[v.args[i + 1]]
    m, n, ys[#ys + 1], xs[#xs + 1] = y.size, x.size, place(e:rows(y)), place(e:rows(x))
  end
  for _, p in ipairs(plan.partials) do
    if p.value == v.id and m * n >= b.outer_size and not b.double_sums then
      out:add(2, "{")
      out:add(3, "const real *const ys[] = {%s};", table.concat(ys, ", "))
      out:add(3, "const real *const xs[] = {%s};", table.concat(xs, ", "))
      out:add(3, "lrnde_outers_%s(%d, %d, %d, ys, xs, lanes, partial + %d);", b.precision, m, n, #ys, p.at)
      out:add(2, "}")
    elseif p.value == v.id then
      for i, y in ipairs(ys) do
        if m * n >= b.outer_size then
          out:add(2, "lrnde_gemm_%s(0, 1, %d, %d, lanes, %s, T, %s, T, 1, partial + %d, %d);", b.gemm, m, n, y, xs[i], p.at, n)
        else
          out:add(2, "lrnde_outer_%s(%d, %d, %s, %s, lanes, partial + %d);", b.precision, m, n, y, xs[i], p.at)
        end
      end
    end
  end
end

--- What a product starts from, an element a row, written by `out` if no parameter is that; nil if it starts from zeros.
local function start_of(e, block, out)
  local start = e.plan.values[block.value.args[3]]
  if not start then return nil end
  local of = start.op == "slice" and e.plan.values[start.args[1]] or start
  if of.op == "input" then
    local first = start.op == "slice" and start.attrs[1] or 0
    return first == 0 and e:pointer(of.name) or ("%s + %d"):format(e:pointer(of.name), first)
  end
  e.start = e.start or e:fresh("start", nil, "read")
  e.work = math.max(e.work, -(block.value.size // -e.backend.tile))
  local text, loop = e:operand(start, block), writer.new()
  loop:add(0, "for (int i = 0; i < %d; i++) {", block.value.size)
  for _, line in ipairs(block.row_order or {}) do loop:add(1, "const real %s = %s;", line.name, line.text) end
  loop:add(1, "%s[i] = %s;", e.start, text)
  loop:add(0, "}")
  out:place(2, loop, e, { [e.start] = true }, {})
  return e.start
end

--- One matrix product.
local function product_block(e, block, out)
  local plan, b, v = e.plan, e.backend, block.value
  if v.op:match "^lu" then return solve_block(e, v, out) end
  if v.op == "outer" then return outer_block(e, v, out) end
  local w, x = plan.values[v.args[1]], plan.values[v.args[2]]
  if w.op ~= "input" then error("the matrix of a product must be a parameter", 0) end
  local matrix, from, to = e:pointer(w.name), place(e:rows(x)), place(e:array_name(v.storage.array), v.storage.row)
  local transposed, before = v.op == "matvec_t", writer.new()
  local start = start_of(e, block, before)
  out:add(2, "/* %s = %s%s%s x */", v.name or e:name(v), start and start .. " + " or "", w.name:gsub("^params%.", ""),
          transposed and "^T" or "")
  out:append(0, before)
  local rows, cols = w.dims[1], w.dims[2]
  local m, n = transposed and cols or rows, transposed and rows or cols
  if w.size >= b.product_size then
    if start then out:add(2, "lrnde_rows_%s(%d, %s, %s);", b.precision, m, start, to) end
    out:add(2, "lrnde_gemm_%s(%d, 0, %d, T, %d, %s, %d, %s, T, %d, %s, T);", b.gemm, transposed and 1 or 0, m, n, matrix, cols,
            from, start and 1 or 0, to)
  else
    local strides = transposed and { 1, cols } or { cols, 1 }
    out:add(2, "%s(%s, %s, %s, %s);", product_function(e, m, n, strides), matrix, from, start or "NULL", to)
  end
end

local function shared_function(e, name, out)
  local plan = e.plan
  e:begin_function()
  local body, pointers, sums = e:shared_statements()
  out:add(0, "")
  out:add(0, "static void %s_shared(const lrnde_args *a, int64_t e0, int64_t e1)", name)
  out:add(0, "{")
  e:declare_scalars(out)
  for _, p in ipairs(pointers) do
    out:add(1, "%sreal *restrict %s = %s;", p.writable and "" or "const ", p.name, e.fields:pointer(p.field, 0, false))
  end
  for q = 0, plan.n_sums - 1 do if sums[q] then out:add(1, "double s%d = 0;", q) end end
  out:add(1, "for (int64_t e = e0; e < e1; e++) {")
  for _, line in ipairs(body) do out:add(2, "%s", line) end
  out:add(1, "}")
  if plan.n_sums > 0 then
    out:add(1, "double *sums = a->sums + ((size_t)a->tiles + (size_t)(e0 / LRNDE_CHUNK)) * %d;", plan.n_sums)
    for q = 0, plan.n_sums - 1 do out:add(1, "sums[%d] = %s;", q, sums[q] and "s" .. q or "0") end
  end
  out:add(0, "}")
end

--- A kernel; options: those of emit.new and name.  Returns an object whose :text() is to be asked for when all kernels of the
-- file are made, and { tile =, shared =, work = }.
function shape.kernel(plan, backend, fields, options)
  local e = emit.new(plan, backend, fields, options)
  local inputs = e:inputs()
  local body = writer.new()
  e.work = 0                                                     -- rows of the workspace that a block needs while it runs
  for _, block in ipairs(plan.blocks) do
    if block.kind == "map" then map_block(e, block, body) else product_block(e, block, body) end
  end

  local work, text = e.work, writer.new()
  local has_tile = #plan.blocks > 0 or #plan.partials > 0 or #plan.sums > 0
  if has_tile then
    text:add(0, "static void %s_tile(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)", options.name)
    text:add(0, "{")
    local scalars = writer.new()
    e:declare_scalars(scalars)
    for _, p in ipairs(e.pointer_order or {}) do
      local v = inputs[p.field]
      if v.kind == "shared" then
        text:add(1, "const real *restrict %s = %s; /* (%s) */", p.name, fields:pointer(p.field, v.size, false),
                 table.concat(v.dims, ", "))
      end
    end
    text:append(0, scalars)
    local scratch = writer.new()
    for _, array in ipairs(plan.arrays) do
      if array.output then
        scratch:add(2, "real *restrict %s = %s; /* (%d, T) */", e:array_name(array),
                    fields:pointer(array.output.field, array.rows, true), array.rows)
      elseif not array.lane then
        if array.rows <= STACK_ROWS and backend.tile <= 32 then
          scratch:add(2, "real %s[%d * T];", e:array_name(array), array.rows)
        else
          scratch:add(2, "real *restrict %s = work + %d * T; /* (%d, T) */", e:array_name(array), work, array.rows)
          work = work + array.rows
        end
      end
    end
    if work > 0 then text:add(1, "real *work = (real *)a->work + (size_t)worker * a->work_stride;") end
    if e.start then text:add(1, "real *%s = work; /* what a product starts from, an element a row */", e.start) end
    if #plan.partials > 0 then
      text:add(1, "real *restrict partial = (real *)a->partial + (size_t)worker * a->partial_stride; /* (%d) */", plan.partial)
    end
    if work == 0 and #plan.partials == 0 then text:add(1, "(void)worker;") end
    text:add(1, "for (int32_t tile = tile0; tile < tile1; tile++) {")
    if #plan.partials + #plan.sums > 0 then
      text:add(2, "const int lanes = tile == a->tiles - 1 ? a->batch - tile * T : T;")
    end
    if plan.n_sums > 0 then
      text:add(2, "double *sums = a->sums + (size_t)tile * %d;", plan.n_sums)
      text:add(2, "for (int q = 0; q < %d; q++) sums[q] = 0;", plan.n_sums)
    end
    for _, p in ipairs(e.pointer_order or {}) do
      local v = inputs[p.field]
      if v.kind == "sample" then
        text:add(2, "const real *restrict %s = %s; /* (%d, T) */", p.name, fields:pointer(p.field, v.size, true), v.size)
      end
    end
    text:append(0, scratch)
    text:append(0, body)
    text:add(1, "}")
    text:add(0, "}")
  end
  if plan.shared then shared_function(e, options.name, text) end
  return text, { tile = has_tile, shared = plan.shared and plan.shared.size, work = work * backend.tile, partial = plan.partial,
                        n_sums = plan.n_sums }
end

return shape
