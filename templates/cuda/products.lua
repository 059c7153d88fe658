--- How a block of several warps divides a matrix product (team.cuh's lrnde_product), whether it multiplies by FMA or on tensor
-- cores, and how many samples it has at a time: chosen by a model of the clocks it takes.
--
-- A multiprocessor issues an instruction of four warps a clock, FMA among them; of one warp, a load or a store of shared memory,
-- a copy to it counting as two.  Its four tensor cores work while other instructions are issued.
-- Rows and terms that do not fill a panel are wasted, and every panel is waited for.  Each block reads all weights from L2, which
-- has so many bytes a clock for all of them together: more samples a tile are fewer blocks that read.

local products = {}

products.WARPS, products.DEPTH, products.STAGES = 8, 8, 4   -- STAGES: most panels that are there or on their way
products.PANEL = 40 * 1024                 -- bytes of shared memory for panels; a block has 48 KiB, and sums need some of it

local TILES <const> = { 4, 8, 16, 32 }
local TENSOR_CORE <const> = 6.5            -- clocks of 16 rows by 8 samples by 8 terms: 62 % of the peak of an H100 or H200
local CHAIN <const> = 33                   -- clocks until another can add to its sums
local MOST_ROWS <const> = 4                -- of sums a thread has four times as many
local LATENCY <const> = 300                -- clocks until a panel that is on its way has come and all warps have met

-- Of an H100 or H200: multiprocessors, their shared memory in bytes, GHz, bytes a clock that L2 gives all of them and one.
products.MULTIPROCESSORS, products.SHARED = 132, 227 * 1024
local GHZ <const>, L2 <const>, L2_EACH <const> = 1.98, 2800, 64

local function quotient_up(a, b) return (a + b - 1) // b end

--- How products may be multiplied, the simplest first: as the model says, or in any way that is as exact as FMA.
function products.ways(m)
  if m.matmul then return { m.matmul } end
  return m.precision == "f32" and m.accumulate == "native" and { "native", "3xtf32" } or { "native" }
end

products.STRUCT = { native = "lrnde_by_fma", ["3xtf32"] = "lrnde_by_mma", tf32 = "lrnde_by_mma" }

--- What it takes a warp to multiply rows times four sums a thread by DEPTH terms, so many samples side by side: clocks of one of
-- four schedulers, and reads of shared memory.  nil if it does not fit: tensor cores want whole tiles, of 16 rows by 8 samples.
local function multiply(rows, lanes, way)
  if way == "native" then
    local loads = 2 * rows + products.DEPTH               -- four numbers each
    return rows * 4 * products.DEPTH + loads, loads
  end
  local across = lanes // 8
  if lanes < 8 or rows % across > 0 then return nil end
  local loads = 4 * (rows // across) + 2 * across         -- a number each
  local passes = way == "tf32" and 1 or 3
  local issued = loads + passes * rows + (passes > 1 and 4 * loads + 4 * rows or 0)   -- numbers are split, eights added
  return math.max(issued, passes * rows * TENSOR_CORE, passes * CHAIN / (products.WARPS // 4)), loads
end

--- Clocks of a product of m rows of n terms; nil if it does not fit.
local function clocks(m, n, rows, split, tile, bytes, way)
  local multiplied, reads = multiply(rows, tile, way)
  if not multiplied then return nil end
  local depth, abreast, numbers = products.DEPTH, 128 // tile, bytes // 4
  local weights = products.WARPS * rows * abreast * depth
  local stages = math.min(products.STAGES, products.PANEL // ((weights + split * depth * tile) * bytes))
  if stages < 2 then return nil end
  local row_panels = quotient_up(m, products.WARPS // split * rows * abreast)
  local term_panels = quotient_up(n, split * depth)
  local issued = products.WARPS // 4 * multiplied * numbers
  local staged = (weights + split * depth * tile) // 32
  local shared = (2 * staged + products.WARPS * reads) * numbers
  local halving = split > 1 and products.WARPS * rows * 4 * 2 + LATENCY or 0
  return math.ceil(row_panels * (term_panels * (math.max(issued, shared, LATENCY / (stages - 1))) + LATENCY + halving))
end

--- { way, rows = a thread has, split = warps abreast along the terms, clocks } of the fastest shape, nil if none fits.
function products.shape(m, n, tile, bytes, ways)
  local best
  for _, way in ipairs(ways) do
    local split = 1
    while split <= products.WARPS do
      for rows = 1, 8 do
        local time = clocks(m, n, rows, split, tile, bytes, way)
        if time and (not best or time < best.clocks) then best = { way = way, rows = rows, split = split, clocks = time } end
      end
      split = 2 * split
    end
  end
  return best
end

local MEETING <const> = 40                 -- clocks until all warps of a block have met

--- Shapes of a product of m rows of n terms whose weights stay in shared memory (cluster.cuh's lrnde_resident), the fastest first
-- and each of fewer bytes than those before: { way, rows = a thread has, split = warps abreast along the terms, groups = of rows,
-- blocks = of terms, height = rows of a group, bytes = of the weights as they lie there, sums = numbers that lie there while sums
-- are halved, clocks }.
function products.resident(m, n, lanes, bytes, ways)
  local abreast, numbers, blocks, list = 128 // lanes, bytes // 4, quotient_up(n, products.DEPTH), {}
  local function consider(way, order, rows, halvings)
    local split, groups = 1 << halvings, quotient_up(m, rows * abreast)
    local multiplied, reads = multiply(rows, lanes, way)
    if not multiplied or split > 1 and groups * split > products.WARPS then return end   -- if split, all rows at once
    local rounds, length = quotient_up(groups, products.WARPS // split), quotient_up(blocks, split)
    local time = math.max(products.WARPS // 4 * multiplied, products.WARPS * reads)
    list[#list + 1] = {
      way = way, order = order, rows = rows, split = split, groups = groups, blocks = blocks, height = rows * abreast,
      bytes = groups * rows * abreast * blocks * products.DEPTH * bytes,
      sums = split > 1 and products.WARPS // 2 * rows * 4 * 32 or 0,
      clocks = math.ceil(numbers * (rounds * length * time + halvings * rows * 16) + (2 * halvings + 2) * MEETING),
    }
  end
  for order, way in ipairs(ways) do
    for rows = 1, MOST_ROWS do
      for halvings = 0, 3 do consider(way, order, rows, halvings) end                    -- up to all warps
    end
  end
  local function rank(s) return { s.clocks, s.bytes, s.order, s.rows, s.split } end
  table.sort(list, function(a, b)
    local x, y = rank(a), rank(b)
    for i = 1, #x do if x[i] ~= y[i] then return x[i] < y[i] end end
    return false
  end)
  local smaller = {}
  for _, s in ipairs(list) do
    if #smaller == 0 or s.bytes < smaller[#smaller].bytes then smaller[#smaller + 1] = s end
  end
  return smaller
end

--- Clocks of a sum over the blocks of a cluster: they meet, and each reads so many numbers of every other.
function products.gather_clocks(m, lanes, blocks, bytes)
  return LATENCY + blocks * quotient_up(m * lanes, products.WARPS * 32) * products.WARPS * (bytes // 4)
end

--- Clocks of so many outer products of m by n, added to what is in global memory.
function products.outer_clocks(m, n, terms, tile, bytes)
  return quotient_up(m, 64) * quotient_up(n, 64) * (terms * (products.WARPS * tile * 16 // 4 * (bytes // 4) + LATENCY) + LATENCY)
end

--- Clocks of all the blocks of a batch, each of which works so long and reads so much, and which of the two takes longer.
function products.batch_clocks(batch, tile, work, bytes)
  local blocks = quotient_up(batch, tile)
  local waves, at_once = quotient_up(blocks, products.MULTIPROCESSORS), math.min(blocks, products.MULTIPROCESSORS)
  local reading = bytes // math.min(L2_EACH, L2 // at_once)
  return waves * math.max(work, reading), work >= reading and "work" or "L2"
end

--- Clocks of so many floating-point operations if all multiprocessors did nothing but FMA.
function products.least_clocks(flop, bytes) return flop / (2 * 128 * products.MULTIPROCESSORS) * (bytes // 4) end

function products.microseconds(clocks) return clocks / GHZ / 1000 end

--- The samples of a tile with which products with matrices { { rows, cols }.. } and their transposes are fastest for a batch.
function products.tile(batch, matrices, bytes, ways)
  local best, least
  for _, tile in ipairs(TILES) do
    local work, weights = 0, 0
    for _, d in ipairs(matrices) do
      for _, shape in ipairs { { d[1], d[2] }, { d[2], d[1] } } do
        local s = products.shape(shape[1], shape[2], tile, bytes, ways)
        work = work + (s and s.clocks or math.huge)
      end
      weights = weights + 2 * d[1] * d[2] * bytes
    end
    local time = products.batch_clocks(batch, tile, work, weights)
    if not least or time < least then best, least = tile, time end
  end
  return best
end

return products
