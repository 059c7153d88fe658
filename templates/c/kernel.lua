--- The shape of a C kernel: a function over tiles, a loop nest a block, and a function over elements for the shared phase.

local emit = require "emit"
local shape = {}

local STACK_ROWS = 64         -- arrays up to this many rows live on the stack, larger ones in the workspace

--- Lines as they are written; those of a loop that may be outlined are known when all kernels are.
local function writer()
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
      if word == "lanes" then return "count" end
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

--- The feature a statement of the block is about: the variable of the loop over features, if there is one.
local function feature(block) return block.domain > 1 and "i" or "0" end

--- y_o = sum_j w[o, j] x_j for the feature of a block: one chain of statements.
local function inner_product(e, v, block)
  local plan, b = e.plan, e.backend
  local w, x = plan.values[v.args[1]], plan.values[v.args[2]]
  local transposed = v.op == "matvec_t"
  local rows, cols = w.dims[1], w.dims[2]
  if w.op ~= "input" then error("the matrix of a product must be a parameter", 0) end
  local matrix, from, row = e:pointer(w.name), e:rows(x)
  local name, i = e:name(v), feature(block)
  local function weight(j)
    if transposed then return ("%s[%d + %s]"):format(matrix, j * cols, i) end
    return ("%s[%s * %d + %d]"):format(matrix, i, cols, j)
  end
  local lines = {}
  for j = 0, (transposed and rows or cols) - 1 do
    local factors = { weight(j), b.load(from, row + j, false), name }
    lines[#lines + 1] = j == 0 and ("real %s = %s * %s;"):format(name, factors[1], factors[2])
                        or ("%s = %s;"):format(name, b.op("fma", factors, "real"))
  end
  return lines
end

--- One statement of a lane loop for value v, or several, into the parts of the block (map_block says what they are).
local function lane_statement(e, v, block, parts)
  local plan, b = e.plan, e.backend
  local lane, before, after, reduce = parts.lane, parts.before, parts.after, parts.reduce
  local function operand(i) return e:operand(plan.values[v.args[i]], block) end
  local function declare(text) lane[#lane + 1] = ("const real %s = %s;"):format(e:name(v), text) end
  if v.op == "matvec" or v.op == "matvec_t" then
    for _, line in ipairs(inner_product(e, v, block)) do lane[#lane + 1] = line end
  elseif v.op == "sum" then
    reduce[#reduce + 1] = { init = "0", type = "double", v = v }
    lane[#lane + 1] = ("%s[l] += (double)%s;"):format(e:array_name(v.storage.array), operand(1))
  elseif v.op == "rowmax" then
    reduce[#reduce + 1] = { init = "-LRNDE_HUGE", type = "real", v = v }
    local m, x = e:array_name(v.storage.array), operand(1)
    lane[#lane + 1] = ("%s[l] = %s > %s[l] ? %s : %s[l];"):format(m, x, m, x, m)
  elseif v.op == "argmax" then
    local m, x = e:array_name(v.storage.array), operand(1)
    local best = e:fresh(m .. "_best", v.id)
    reduce[#reduce + 1] = { init = "0", type = "real", v = v }
    reduce[#reduce + 1] = { init = "-LRNDE_HUGE", type = "real", name = best }
    lane[#lane + 1] = ("if (%s > %s[l]) { %s[l] = %s; %s[l] = (real)%s; }"):format(x, best, best, x, m, feature(block))
  elseif v.op == "batch_sum" then
    local of = plan.values[v.args[1]]
    for _, p in ipairs(plan.partials) do
      if p.value == v.id then
        local rows = e:fresh("b" .. v.id, v.id)
        before[#before + 1] = ("real %s[T];"):format(rows)
        lane[#lane + 1] = ("%s[l] = %s;"):format(rows, operand(1))
        local sum = ("lrnde_lane_sum_%s(%s, lanes)"):format(b.precision, rows)
        if of.size > 1 then
          local to = e:fresh("p" .. v.id, v.id)
          table.insert(parts.pointers, { to, "partial + " .. p.at })
          after[#after + 1] = ("%s[i] += %s;"):format(to, sum)
        else
          after[#after + 1] = ("partial[%d] += %s;"):format(p.at, sum)
        end
      end
    end
    for _, s in ipairs(plan.sums) do
      if s.value == v.id then
        local rows = e:fresh("b" .. v.id, v.id)
        before[#before + 1] = ("double %s[T];"):format(rows)
        local text = of.storage and of.storage.array.lane and ("%s[l]"):format(e:array_name(of.storage.array)) or "(double)" .. operand(1)
        lane[#lane + 1] = ("%s[l] = %s;"):format(rows, text)
        after[#after + 1] = ("sums[%d] += lrnde_lane_sum_f64(%s, lanes);"):format(s.index, rows)
      end
    end
  elseif v.op == "pick" then
    local base, row = e:rows(plan.values[v.args[1]])
    declare(("%s[(%d + (int)%s) * T + l]"):format(base, row, operand(2)))
  elseif v.op == "scatter" then
    declare(("%s == (int)%s ? %s : 0"):format(feature(block), operand(2), operand(1)))
  elseif v.op ~= "index" and v.op ~= "slice" then
    local args = {}
    for i = 1, #v.args do args[i] = operand(i) end
    if not b.spell[v.op] then error(("the C backend has no spelling for '%s'"):format(v.op), 0) end
    declare(b.op(v.op, args, "real"))
  end
  if v.storage and not v.storage.array.lane and v.op ~= "batch_sum" then
    local sign = v.storage.array.output and v.storage.array.output.accumulate and "+=" or "="
    parts.written[e:array_name(v.storage.array)] = true
    lane[#lane + 1] = ("%s %s %s;"):format(b.load(e:array_name(v.storage.array), v.storage.row, v.size > 1), sign, e:name(v))
  end
end

--- A loop over rows, if there are several, and lanes.  Its parts: formulas in front; sums to reduce into, declared in front;
-- for each row declarations, statements over the lanes, statements after them; pointers made for it; names of arrays written.
local function map_block(e, block, out)
  local parts = { formulas = {}, reduce = {}, before = {}, lane = {}, after = {}, pointers = {}, written = {} }
  local loops = block.domain > 1
  for _, v in ipairs(block.values) do
    local formula = e:formula(v)
    if formula then table.insert(loops and parts.formulas or parts.lane, ("/* %s */"):format(formula)) end
    lane_statement(e, v, block, parts)
  end
  if #parts.lane == 0 then return end
  for _, formula in ipairs(parts.formulas) do out:add(2, "%s", formula) end
  for _, r in ipairs(parts.reduce) do
    local name = r.name or e:array_name(r.v.storage.array)
    out:add(2, "%s %s[T];", r.type, name)
    out:add(2, "for (int l = 0; l < T; l++) %s[l] = %s;", name, r.init)
  end
  local body = writer()
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
  if loops and #parts.formulas + #parts.reduce == 0 then
    out:place(2, body, e, parts.written, parts.pointers)
  else
    for _, p in ipairs(parts.pointers) do out:add(2, "real *restrict %s = %s;", p[1], p[2]) end
    out:append(2, body)
  end
end

--- One matrix product, by the library if it is large; an outer product sums over the valid lanes only.
local function product_block(e, block, out)
  local plan, v = e.plan, block.value
  local gemm = "lrnde_gemm_" .. e.gemm
  if v.op == "outer" then
    local y, x = plan.values[v.args[1]], plan.values[v.args[2]]
    local yb, yr = e:rows(y)
    local xb, xr = e:rows(x)
    local function at(base, row) return row == 0 and base or ("%s + %d * T"):format(base, row) end
    for _, p in ipairs(plan.partials) do
      if p.value == v.id then
        if y.size * x.size >= plan.product_size then
          out:add(2, "%s(0, 1, %d, %d, lanes, %s, T, %s, T, 1, partial + %d, %d);", gemm, y.size, x.size, at(yb, yr), at(xb, xr), p.at, x.size)
        else
          out:add(2, "lrnde_outer_%s(%d, %d, %s, %s, lanes, partial + %d);", e.backend.precision, y.size, x.size, at(yb, yr), at(xb, xr), p.at)
        end
      end
    end
    return
  end
  local w, x = plan.values[v.args[1]], plan.values[v.args[2]]
  if w.op ~= "input" then error("the matrix of a product must be a parameter", 0) end
  local base, row = e:rows(x)
  local to = e:array_name(v.storage.array)
  local place = v.storage.row == 0 and to or ("%s + %d * T"):format(to, v.storage.row)
  local transposed = v.op == "matvec_t"
  local start = v.args[3] and e:operand(plan.values[v.args[3]], block)
  out:add(2, "/* %s = %s%s x%s */", v.name or e:name(v), w.name:gsub("^params%.", ""), transposed and "^T" or "",
          start and " + " .. start or "")
  if start then
    local loop = writer()
    loop:add(0, "for (int i = 0; i < %d; i++) {", v.size)
    for _, line in ipairs(block.row_order or {}) do loop:add(1, "const real %s = %s;", line.name, line.text) end
    loop:add(1, "LRNDE_LANES for (int l = 0; l < T; l++) %s = %s;", e.backend.load(to, v.storage.row, v.size > 1), start)
    loop:add(0, "}")
    out:place(2, loop, e, { [to] = true }, {})
  end
  local rows, cols = w.dims[1], w.dims[2]
  local m, n = transposed and cols or rows, transposed and rows or cols
  local from = row == 0 and base or ("%s + %d * T"):format(base, row)
  if w.size >= plan.product_size then
    out:add(2, "%s(%d, 0, %d, T, %d, %s, %d, %s, T, %d, %s, T);", gemm, transposed and 1 or 0, m, n, e:pointer(w.name), cols, from,
            start and 1 or 0, place)
  else
    out:add(2, "lrnde_product_%s(%d, %d, %s, %d, %d, %s, %d, %s);", e.backend.precision, m, n, e:pointer(w.name), transposed and 1 or cols,
            transposed and cols or 1, from, start and 1 or 0, place)
  end
end

--- The scalars a function uses, in double, and their rounded copies.
local function declare_scalars(e, out)
  for _, s in ipairs(e:scalars()) do
    out:add(1, "const double %s = %s;%s", s.name, s.text, s.note and (" /* %s */"):format(s.note) or "")
  end
  for _, r in ipairs(e.rounded_order) do out:add(1, "const real %s = (real)%s;", r.name, r.of) end
end

local function shared_function(e, name, out)
  local plan, b = e.plan, e.backend
  local shared = plan.shared
  local body, local_name = {}, {}
  local pointers = {}
  e:begin_function()
  local function pointer(field, writable)
    if not pointers[field] then
      pointers[field] = e:fresh(e.fields:pretty(field), field)
      pointers[#pointers + 1] = { name = pointers[field], field = field, writable = writable }
    end
    return pointers[field]
  end
  local function operand(id)
    local v = plan.values[id]
    if v.op == "const" then return b.number(v.number) end
    if #v.dims == 0 then return e:scalar_operand(v) end
    if local_name[id] then return local_name[id] end
    if shared.loads[id] then
      local_name[id] = e:fresh("p" .. id, id)
      body[#body + 1] = ("real %s = 0;"):format(local_name[id])
      body[#body + 1] = ("for (int32_t w = 0; w < a->workers; w++) %s += ((const real *)a->partial)[w * a->partial_stride + %d + e];")
                          :format(local_name[id], shared.loads[id])
    elseif v.op == "input" then
      local_name[id] = ("%s[e]"):format(pointer(v.name))
    else
      local args = {}
      for i, a in ipairs(v.args) do args[i] = operand(a) end
      if not b.spell[v.op] then error(("'%s' of a shared vector is beyond the shared phase"):format(v.op), 0) end
      local_name[id] = e:name(v)
      body[#body + 1] = ("const real %s = %s;"):format(local_name[id], b.op(v.op, args, "real"))
    end
    return local_name[id]
  end
  for _, v in ipairs(shared.order) do operand(v.id) end
  for _, o in ipairs(shared.outputs) do
    local result = operand(o.value)                               -- may add lines of its own
    body[#body + 1] = ("%s[e] = %s;"):format(pointer(o.field, true), result)
  end
  local sums = {}
  for _, s in ipairs(shared.sums) do
    sums[s.index] = true
    local result = operand(s.value)
    body[#body + 1] = ("s%d += (double)%s;"):format(s.index, result)
  end
  out:add(0, "")
  out:add(0, "static void %s_shared(const lrnde_args *a, int64_t e0, int64_t e1)", name)
  out:add(0, "{")
  declare_scalars(e, out)
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
  local inputs = {}
  for _, v in pairs(plan.values) do if v.op == "input" then inputs[v.name] = v end end
  local body = writer()
  for _, block in ipairs(plan.blocks) do
    if block.kind == "map" then map_block(e, block, body) else product_block(e, block, body) end
  end

  local work, text = 0, writer()
  local has_tile = #plan.blocks > 0 or #plan.partials > 0 or #plan.sums > 0
  if has_tile then
    text:add(0, "static void %s_tile(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)", options.name)
    text:add(0, "{")
    local scalars = writer()
    declare_scalars(e, scalars)
    for _, p in ipairs(e.pointer_order or {}) do
      local v = inputs[p.field]
      if v.kind == "shared" then
        text:add(1, "const real *restrict %s = %s; /* (%s) */", p.name, fields:pointer(p.field, v.size, false), table.concat(v.dims, ", "))
      end
    end
    text:append(0, scalars)
    local scratch = writer()
    for _, array in ipairs(plan.arrays) do
      if array.output then
        local const = ""
        scratch:add(2, "%sreal *restrict %s = %s; /* (%d, T) */", const, e:array_name(array),
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
