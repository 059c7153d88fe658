--- What lrnde-gen --explain says of CUDA: how samples become blocks and, of wide models, what their kernels should take.
--
-- The clocks are those of products.lua, by which shapes are chosen; loops over features count as L2 traffic.  Estimates for an
-- H100 or H200: nothing here was measured.  The last table, what a block has of a multiprocessor, is what the compiler makes of it.

local backends = require "backends"
local products = backends.run "templates/cuda/products.lua"
local resources = backends.run "templates/cuda/resources.lua"

local explain = {}

local function described(m, n, shape)
  return ("%dx%d %s, %d rows/%d abreast"):format(m, n, shape.way == "native" and "FMA" or shape.way, shape.rows, shape.split)
end

--- Of one kernel and one tile: products, clocks that they take, bytes that all loops read and write, the products' shapes.
local function costs(plan, backend)
  local c = { products = 0, work = 0, bytes = 0, shapes = {} }
  local function rows(n) c.bytes = c.bytes + n * backend.tile * backend.bytes end
  local function matrix(n) c.bytes = c.bytes + n * backend.bytes end
  for _, block in ipairs(plan.blocks) do
    local seen, v = {}, block.value
    for _, x in ipairs(block.values) do
      if x.storage then rows(x.size) end
      for _, id in ipairs(x.args) do
        local from = plan.values[id]
        if from.kind == "sample" and from.block ~= block and not seen[id] then rows(from.size) end
        seen[id] = true
      end
    end
    if v then c.products = c.products + 1 end
    if v and v.op == "outer" then
      local m, n = plan.values[v.args[1]].size, plan.values[v.args[2]].size
      c.work = c.work + products.outer_clocks(m, n, #v.args // 2, backend.tile, backend.bytes)
      matrix(plan.shared and m * n or 2 * m * n)           -- what is there before is read, if it may be anything
    elseif v and v.shape then
      local text = described(v.size, v.terms, v.shape)
      c.work = c.work + v.shape.clocks
      matrix(v.size * v.terms)
      if not c.shapes[text] then c.shapes[#c.shapes + 1], c.shapes[text] = text, true end
    end
  end
  return c
end

--- Of the other form of a step (cluster.lua).
local function explain_clusters(backend, line)
  local way, shapes = backend.cluster, {}
  if not way then return line "  steps by clusters of blocks: not of this model, or no faster" end
  for name, p in pairs(way.shapes) do
    shapes[#shapes + 1] = ("%s %s"):format(name:gsub("^params%.", ""), described(p.m, p.n, p.of))
  end
  table.sort(shapes)
  local blocks = (backend.batch + way.lanes - 1) // way.lanes * way.size
  line("  steps by clusters of %d blocks, %d samples each: %d blocks, %.1f us a step, from compute capability 9.0 on, "
       .. "where they fit", way.size, way.lanes, blocks, products.microseconds(way.batch_clocks))
  line("    a block: %d KiB of shared memory, %d of them weights; %s", (way.bytes + 1023) // 1024, way.weights // 1024,
       table.concat(shapes, "; "))
end

local function explain_wide(p, backend, lrnde, line)
  local blocks = (backend.batch + backend.tile - 1) // backend.tile
  line("cuda: %d samples a tile, a block of %d threads each; batch %d: %d blocks for %d multiprocessors; "
       .. "%d KiB of shared memory for panels", backend.tile, backend.tile * backend.team, backend.batch, blocks,
       products.MULTIPROCESSORS, products.PANEL // 1024)
  line("  %-24s %8s %12s %9s %9s %13s %6s  %s", "kernel, estimated", "products", "clocks, tile", "L2, MB", "us", "all FMA, us",
       "bound", "shapes of products")
  lrnde.each_kernel(p, function(k, _, prefix)
    local c = costs(k.plan, backend)
    if c.products == 0 then return end
    local clocks, bound = products.batch_clocks(backend.batch, backend.tile, c.work, c.bytes)
    local least = products.least_clocks(k.count.flop * backend.batch, backend.bytes)
    line("  %-24s %8d %12d %9.1f %9.1f %13.1f %6s  %s", prefix .. k.name, c.products, c.work, c.bytes * blocks / 1e6,
         products.microseconds(clocks), products.microseconds(least), bound, table.concat(c.shapes, "; "))
  end)
  explain_clusters(backend, line)
  local bytes = 0
  for _, d in ipairs(backend.matrices) do bytes = bytes + d[1] * d[2] * backend.bytes end
  line("  matrices: %d KiB, read from L2 by every block in every stage, if not by clusters%s", bytes // 1024,
       bytes > products.SHARED and (", for shared memory of one multiprocessor is %d KiB"):format(products.SHARED // 1024) or "")
end

--- What a block of each entry point has of a multiprocessor.
local function explain_resources(p, backend, line)
  line("  %-44s %8s %14s %10s %18s %16s", "entry point, planned", "threads", "shared, bytes", "asked for", "registers, at most",
       "blocks, at least")
  for _, e in ipairs(resources.entries(p.texts[#p.texts].text, backend, products.PANEL)) do
    line("  %-44s %8d %14d %10d %18d %16d", e.name, e.threads, e.shared, e.asked, e.registers, e.blocks)
  end
end

function explain.model(p, backend, lrnde, line)
  if backend.team > 1 then
    explain_wide(p, backend, lrnde, line)
  else
    line("cuda: %d samples a tile, a warp each", backend.tile)
  end
  line("  %s", backend.solves(p)
       and "adaptive steps are taken many in a cooperative launch: blocks meet once a step, for the error norm"
       or "a step is a launch: the host decides")
  explain_resources(p, backend, line)
end

return explain
