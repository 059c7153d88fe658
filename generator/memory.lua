--- The memory plan: the bytes a training solver holds on the device, as formulas of what is known when it runs.
--
--   B  samples, a whole number of tiles     S  save times          T  threads, at most one a tile
--   n  accepted steps                       c  checkpoints         w  steps from one checkpoint to the next
--   m  accepted steps of a sweep between two save times
--
-- What a formula adds up is allocated in runtime/solve: create.c (the fixed part), saves.c, record.c.  A test measures it.

local header = require "header"

local memory = {}

local LINE <const> = 64               -- bytes; every array begins a line of the cache
local CHUNK <const> = header.constant "LRNDE_CHUNK"
local PAD <const> = 16                -- parameter-sized arrays are whole multiples of it

-- A sum of terms: bytes by what they are multiplied with, in the order of their first use.
local Sum = {}
Sum.__index = Sum

local function sum() return setmetatable({ names = {}, bytes = {} }, Sum) end

function Sum:add(factor, bytes)
  if bytes == 0 then return end
  if not self.bytes[factor] then self.names[#self.names + 1] = factor end
  self.bytes[factor] = (self.bytes[factor] or 0) + bytes
end

function Sum:__tostring()
  local terms = {}
  for i, factor in ipairs(self.names) do
    terms[i] = factor == "" and ("%d"):format(self.bytes[factor]) or ("%d*%s"):format(self.bytes[factor], factor)
  end
  return table.concat(terms, " + ")
end

local function padded(n, to) return (n + to - 1) // to * to end

local function total(list)
  local n = 0
  for _, x in ipairs(list) do n = n + x.size end
  return n
end

--- What the kernels need between them: { work, partial, gradient, tile_sums, chunk_sums }, in elements.
local function needs(lrnde, p)
  local n = { work = 0, partial = 0, gradient = p.m.params.size, tile_sums = 0, chunk_sums = 0 }
  local function most(field, x) n[field] = math.max(n[field], x) end
  lrnde.each_kernel(p, function(k)
    local parts = k.parts
    most("work", parts.work)
    most(parts.shared and "partial" or "gradient", parts.partial)
    most("tile_sums", parts.n_sums)
    if parts.shared then most("chunk_sums", (parts.shared + CHUNK - 1) // CHUNK * parts.n_sums) end
  end)
  return n
end

-- Elements of a sample, and shared ones in lines of the cache, of a list of components.
local function split(components, real)
  local sample, shared = 0, 0
  for _, c in ipairs(components) do
    if c.kind == "shared" then shared = shared + padded(c.size, LINE // real) else sample = sample + c.size end
  end
  return sample, shared
end

local function carry_of(m, system, real) return split(m.stepper.carry_components(system, m.tab), real) end

--- What every gradient needs, whatever is kept of the solve.
local function fixed(lrnde, p, real)
  local m, out, n = p.m, sum(), needs(lrnde, p)
  local state, constants, outputs = m.state, total(m.constants), total(p.outputs)
  local carry, stages = carry_of(m, m.system, real), #m.stepper.interior(m.tab) + m.tab.dense.extra
  local series, single = 0, 0
  for _, x in ipairs(m.data.inputs) do
    if x.series then series = series + x.size else single = single + x.size end
  end
  out:add("", real * padded(m.params.size, PAD) * (2 + (m.train and m.train.module.slots or 0)) + 8 * n.chunk_sums)
  out:add("T", real * (padded(n.work, PAD) + padded(n.partial, PAD) + padded(n.gradient, PAD)))
  local samples = 7 * state + 2 * constants + 2 * (series + single) - series + outputs   -- u0, f0, cotangents, ...
  if m.regularize then                                                                   -- a local step
    local by = m.regularize.method or m
    samples = samples + 2 * split(by.stepper.carry_components(m.system, by.tab), real)
              + (#by.stepper.interior(by.tab) + by.tab.dense.extra) * state
    local past = m.regularize.gradient == "total" and m.system.past_states and m.tab.past or 0
    samples = samples + past * state
  end
  if p.adjoint then
    local adjoint = p.adjoint.system
    local sample, shared = carry_of(m, adjoint, real)
    local own, own_shared = split(adjoint.components, real)
    local sums, sums_shared = 0, 0                                                        -- of a quadrature rule
    if adjoint.rule then
      sums, sums_shared = split(adjoint.integrals, real)
      local copies = adjoint.rule.differences and 3 or 1
      sums, sums_shared = copies * sums + 2 * state, copies * sums_shared
    end
    if adjoint.external then
      local of_start = m.method.start and m.method.start.tab.stages or 0
      samples = samples + math.max(m.tab.stages + m.tab.dense.extra, of_start) * state
    end
    samples = samples + own + sums
    out:add("", real * (own_shared + sums_shared))
    if adjoint.rule and adjoint.rule.differences then
      out:add("B*(m+1)", real * sample)
      out:add("B*m", real * stages * state)
    else
      samples = samples + 2 * sample + stages * state
      out:add("", real * 2 * shared)
    end
  else
    samples = samples + 5 * carry + 2 * stages * state
  end
  out:add("B", real * samples + 8 * n.tile_sums // m.tile)
  out:add("B*S", real * (state + outputs + series))
  return out, real * carry, real * stages * state
end

--- The plan of a model whose kernels were generated: list of { policy, formula as a Lua expression }.
function memory.plan(lrnde, p)
  local m, list = p.m, {}
  local real = m.precision == "f32" and 4 or 8
  local tape = real * (p.forward.tape and p.forward.tape.size or 0)
  local function add(policy, record)
    local out, carry, stages = fixed(lrnde, p, real)
    record(out, carry, stages)
    if m.stochastic then
      out:add("B", 8 * m.tab.noise * m.state)                                           -- a piece of the path; more if cut, on devices
      out:add("B*2^math.ceil(math.log(n, 2))", real * m.tab.noise * m.state)            -- a table that doubles
    end
    list[#list + 1] = { policy = policy, formula = tostring(out) }
  end
  if p.adjoint and p.adjoint.system.state then
    add("nothing", function(out, carry, stages)
      out:add("B", 2 * carry + stages)
    end)
    add("checkpoints", function(out, carry, stages)
      out:add("B", 2 * carry + stages)
      out:add("B*c", real * m.state)
    end)
    return list
  elseif p.adjoint then
    add("stages", function(out, carry, stages)
      out:add("B*(n+1)", carry)
      out:add("B*n", stages)
    end)
    add("checkpoints", function(out, carry, stages)
      out:add("B*math.min(math.max(c+2, (n+w-1)//w+2*w), n+1)", carry)
      out:add("B*(math.min(2*w, n)+1)", stages)
    end)
    return list
  end
  add("stages", function(out, carry, stages)
    out:add("B", stages)
    out:add("B*(n+1)", carry)
    out:add("B*n", tape)
  end)
  add("stages, dense", function(out, carry, stages)
    out:add("B*(n+1)", carry)
    out:add("B*n", stages + tape)
  end)
  add("state", function(out, carry, stages)
    out:add("B", stages + tape)
    out:add("B*(n+1)", carry)
  end)
  add("checkpoints", function(out, carry, stages)
    out:add("B", stages + tape)
    out:add("B*math.min(c+2, n+1)", carry)
  end)
  return list
end

-- The distance between checkpoints: the least for a number of steps known beforehand, else it doubles until c are enough.
local function stride(n, c, fixed)
  local w = fixed and (n + c - 1) // c or 1
  while w * c < n do w = 2 * w end
  return w
end

--- The value of a formula for known { B, n, m, c, S, T } and whether the steps have a fixed length.
function memory.evaluate(formula, known)
  known.w = stride(known.n, known.c, known.fixed)
  local env = setmetatable({ math = math }, { __index = known })
  return load("return " .. formula, "=memory", "t", env)()
end

return memory
