--- How a block of several warps divides a matrix product: the shape of team.cuh's lrnde_product, chosen by a model of its time.
--
-- A multiprocessor issues an instruction of four warps a clock, among them FMA; of one warp, a load or a store of shared memory.
-- What is wasted is rows and terms that fill up a panel, and the wait for each panel.

local products = {}

products.WARPS, products.TILE = 8, 16
products.PANEL = 40 * 1024                 -- bytes of shared memory; a block has 48 KiB, and other sums need some of it

local QUARTERS <const> = products.TILE // 4
local ABREAST <const> = 32 // QUARTERS     -- rows a warp has side by side
local LATENCY <const> = 300                -- clocks until a panel that is on its way has come and all warps have met

local function quotient_up(a, b) return (a + b - 1) // b end

--- Clocks of a product of m rows of n terms for the samples of a tile; nil if it does not fit.
local function clocks(m, n, rows, split, bytes)
  local depth = 64 // bytes
  local weights = products.WARPS * rows * ABREAST * (depth + 4)
  if (weights + split * depth * products.TILE) * bytes > products.PANEL then return nil end
  local row_panels = quotient_up(m, products.WARPS // split * rows * ABREAST)
  local term_panels = quotient_up(n, split * depth)
  local fma = products.WARPS // 4 * rows * 4 * depth * (bytes // 4)
  local staged = products.WARPS * rows * depth // 4                       -- of global memory, and into shared memory
  local shared = (2 * staged + products.WARPS * depth * (rows + 4) // 4) * (bytes // 4)
  local halving = split > 1 and products.WARPS * rows * 4 * 2 + 2 * LATENCY // 4 or 0
  return row_panels * (term_panels * (math.max(fma, shared) + LATENCY // 4) + LATENCY + halving)
end

--- { rows = a thread has, split = warps abreast along the terms, clocks } of the fastest shape.
function products.shape(m, n, bytes)
  local best
  for split = 1, products.WARPS do
    if products.WARPS % split == 0 then
      for rows = 1, 8 do
        local time = clocks(m, n, rows, split, bytes)
        if time and (not best or time < best.clocks) then best = { rows = rows, split = split, clocks = time } end
      end
    end
  end
  return best
end

--- Clocks of an outer product of m by n, added to what is in global memory.
function products.outer_clocks(m, n, bytes)
  local squares = quotient_up(m, 64) * quotient_up(n, 64)
  return squares * (products.WARPS * products.TILE * 16 // 4 * (bytes // 4) + LATENCY)
end

return products
