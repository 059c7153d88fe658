--- How CUDA blocks divide matrix products: every shape fits, none is said to be faster than the arithmetic allows, and --explain
-- tells them.

local backends = require "backends"
local check = require "check"

local products = backends.run "templates/cuda/products.lua"
local tool = check.tool "lrnde-gen"

local FMA <const>, EITHER <const> = { "native" }, { "native", "3xtf32" }

local SIZES <const> = {
  { 1, 1 }, { 10, 784 }, { 784, 10 }, { 100, 784 }, { 784, 100 }, { 33, 65 }, { 2048, 2048 }, { 5, 100000 },
}

check.case("a shape for every matrix, tile, precision: warps divide evenly, two panels fit, no faster than FMA alone", function()
  for _, d in ipairs(SIZES) do
    for _, tile in ipairs { 4, 8, 16, 32 } do
      for _, bytes in ipairs { 4, 8 } do
        local s = products.shape(d[1], d[2], tile, bytes, FMA)
        check.equal(products.WARPS % s.split, 0)
        local rows = products.WARPS * s.rows * 128 // tile
        check.below(2 * (rows + s.split * tile) * products.DEPTH * bytes, products.PANEL + 1)
        check.below(d[1] * d[2] * tile * (bytes // 4) / 128, s.clocks + 1)
      end
    end
  end
end)

check.case("long sums of few rows are divided among warps, many rows are not", function()
  check.below(3, products.shape(10, 784, 8, 4, FMA).split)
  check.equal(products.shape(784, 100, 8, 4, FMA).split, 1)
end)

check.case("what is as exact and faster is chosen, FMA if neither is", function()
  for _, d in ipairs(SIZES) do
    for _, tile in ipairs { 4, 8, 16, 32 } do
      local fma, mma = products.shape(d[1], d[2], tile, 4, FMA), products.shape(d[1], d[2], tile, 4, { "3xtf32" })
      local chosen = products.shape(d[1], d[2], tile, 4, EITHER)
      check.equal(chosen, mma and mma.clocks < fma.clocks and mma or fma)
      check.equal(mma == nil, tile < 8)                  -- of tensor cores
    end
  end
  check.equal(products.resident(100, 196, 16, 4, EITHER)[1].way, "3xtf32")
  check.equal(products.resident(100, 196, 16, 4, FMA)[1].way, "native")
end)

check.case("tensor cores are for f32, accumulated in f32; tf32 alone only if asked for", function()
  local function ways(matmul, precision, accumulate)
    return products.ways { matmul = matmul, precision = precision or "f32", accumulate = accumulate or "native" }
  end
  check.equal(ways(), EITHER)
  check.equal(ways(nil, "f64"), FMA)
  check.equal(ways(nil, "f32", "double"), FMA)
  for _, way in ipairs { "native", "3xtf32", "tf32" } do check.equal(ways(way), { way }) end
end)

check.case("more samples want larger tiles, and never fewer clocks", function()
  local before, clocks = 0, 0
  for batch = 64, 16384, 64 do
    local tile = products.tile(batch, { { 100, 784 }, { 784, 100 } }, 4, FMA)
    local work = products.shape(100, 784, tile, 4, FMA).clocks + products.shape(784, 100, tile, 4, FMA).clocks
    local time = products.batch_clocks(batch, tile, work, 0)
    if batch & (batch - 1) == 0 then
      check.below(before, tile + 1)
      check.below(clocks, time + 1)
      before, clocks = tile, time
    end
  end
  check.equal(before, 32)
end)

check.case("--explain says how a wide model runs, and what a small one does", function()
  local wide = check.run(tool .. " --explain tests/models/wide.lua")
  check.contains(wide, " samples a tile, a block of 256 threads each; batch 64: ")
  check.contains(wide, "60x72 3xtf32, ")
  local native = check.run(tool .. " --explain --set matmul=native tests/models/wide.lua")
  check.contains(native, "60x72 FMA, ")
  check.equal(native:find("tf32", 1, true), nil)
  check.contains(check.run(tool .. " --explain models/mnist_node.lua"), "dynamics.0.weight 100x196 3xtf32, ")
  check.contains(wide, "adaptive steps are taken many in a cooperative launch")
  check.contains(check.run(tool .. " --explain models/spiral.lua"), "32 samples a tile, a warp each")
end)

check.case("what a text's driver is told of its products", function()
  local folder = check.folder()
  for matmul, expected in pairs { native = "0", ["3xtf32"] = "1", tf32 = "2" } do
    check.run(("%s --out %s --set matmul=%s tests/models/wide.lua"):format(tool, folder, matmul))
    check.equal(check.run(("cat %s/wide.c"):format(folder)):match '{"cuda", [^{]*{%d+, %d+, %d+, (%d+)}}', expected)
  end
  check.run("rm -r " .. folder)
end)

check.case("--explain says what a block has of a multiprocessor", function()
  local function entry(model, name)
    local words = {}
    for word in check.run(("%s --explain %s"):format(tool, model)):match(name .. "([ %d]*)\n"):gmatch "%d+" do
      words[#words + 1] = tonumber(word)
    end
    return words
  end
  check.equal(entry("models/spiral.lua", "spiral_run_f32"), { 32, 252 * 4, 0, 255, 8 })                   -- its parameters
  check.equal(entry("tests/models/wide.lua", "wide_rhs_f32_tile"), { 256, products.PANEL, 0, 255, 1 })
  check.equal(entry("tests/models/wide.lua", "wide_run_f32"), { 256, products.PANEL + 256 * 8, 0, 255, 1 }) -- and sums of a team
  local clusters = entry("models/mnist_node.lua", "mnist_node_cluster_run_f32")
  check.equal({ clusters[1], clusters[2], clusters[4], clusters[5] }, { 256, 256, 255, 1 })
  check.equal(clusters[3] > 160 * 1024 and clusters[3] <= products.SHARED - 2048, true)                     -- the weights at least
end)

check.done()
