--- CUDA C++ for NVRTC: C's spelling of ops and numbers, but a thread is a sample, so that a lane is a variable, not an array.
--
-- In small models a tile is a warp, and what lies between its loops stays in the thread.  Where layers are matrices a tile has
-- fewer samples, so that there are more of them, and a block of several warps shares it: its members, a lane for each sample,
-- divide the features, and its warps the matrix products.

local backends = require "backends"
local header = require "header"
local host = require "host"
local products = backends.run "templates/cuda/products.lua"
local resources = backends.run "templates/cuda/resources.lua"
local template = require "template"

local cuda = backends.spelling "c"

cuda.name, cuda.extension, cuda.doc = "cuda", "cu", "CUDA C++, compiled by NVRTC at run time; a warp, or a block, a tile"
cuda.files = { { extension = ".cu", template = "model.cu.in" } }
cuda.carried = true

local WARP <const>, MOST_BLOCKS <const> = 32, 32   -- threads; blocks that a multiprocessor has at once
local WIDE <const> = 4096          -- elements of a matrix from which a block shares a tile
local BATCH <const> = 512          -- where the model does not say

cuda.counts = { "l", "valid" }

for word in ([[args member ys xs end chunk s0 next course TEAM accumulator threadIdx blockIdx blockDim gridDim warpSize
               template class this new delete operator private protected public namespace using typename bool true false try catch
               throw friend virtual explicit mutable and or not xor asm export signal constexpr decltype nullptr noexcept alignas
               fma fmaf abs max min fabs fabsf sqrtf expf log1p log1pf logf sinf cosf tanhf powf]]):gmatch "%S+" do
  table.insert(cuda.reserved, word)
end

--- What draws normal numbers, as the runtime and the driver have it.
local function normals()
  local normal = header.excerpt("io/normal.def", "\nNORMAL%(\n(.-)\n%)\n")
  local philox = assert(host.read(host.root .. "/templates/cuda/normals.def")):match "\n(    /%* Four words.-\n    })\n"
  return ((normal .. "\n\n" .. philox):gsub("FUNCTION", "static __device__ inline"):gsub("\n    ", "\n"):gsub("^    ", ""))
end

--- The elementwise functions and sums every generated file carries, and the products of its kind of tile; of stochastic models
-- normal numbers too.
function cuda.math()
  local function part(name, env) return template.fill(("templates/cuda/%s.cuh"):format(name), env) end
  local common = part("math", {}) .. "\n" .. (cuda.draws and normals() .. "\n\n" or "")
  if cuda.team == 1 then return common .. part("lane", {}) end
  local ways = {}
  for _, way in ipairs(cuda.ways) do
    if cuda.multiplied[way] then ways[#ways + 1] = part(products.STRUCT[way]:match "%a+$", { way = way }) end
  end
  local team = part("team", setmetatable({ ways = table.concat(ways, "\n") }, { __index = products }))
  local clusters = cuda.cluster and "\n" .. part("cluster", { way = cuda.cluster, bytes = cuda.bytes }) or ""
  return common .. team .. clusters
end

function cuda.set_model(m)
  cuda.precision, cuda.bytes, cuda.tile, cuda.team = m.precision, m.precision == "f32" and 4 or 8, WARP, 1
  cuda.ways, cuda.multiplied = products.ways(m), {}       -- ways to multiply, and those of them that a product has taken
  if m.params:largest_matrix() >= WIDE then
    local matrices, batch = {}, m.train and m.train.batch or 0
    for _, leaf in ipairs(m.params.list) do if #leaf.dims == 2 then matrices[#matrices + 1] = leaf.dims end end
    cuda.batch, cuda.matrices = batch > 0 and batch or BATCH, matrices
    cuda.tile = products.tile(cuda.batch, matrices, cuda.bytes, cuda.ways)
    cuda.team = products.WARPS * WARP // cuda.tile
  end
  -- Blocks of a run copy parameters into their shared memory, if as many blocks as a multiprocessor takes have room for them.
  local room = products.SHARED // MOST_BLOCKS - (m.stochastic and resources.path or 0)
  cuda.keeps_params = cuda.team == 1 and m.params.size > 0 and m.params.size * cuda.bytes <= room
  cuda.gathers, cuda.draws = cuda.team > 1, m.stochastic
  cuda.clusters, cuda.cluster = cuda.team > 1 and #m.tab.err > 0 and not m.stochastic and not m.method.start, nil
  cuda.accumulator = m.accumulate == "double" and "double" or "real"
end

--- For modules.c: of clusters, blocks, tiles and bytes of shared memory of each block, zeros without clusters; and what tensor
-- cores do: nothing, 3xtf32, tf32.
function cuda.own()
  local way, tensor_cores = cuda.cluster, cuda.multiplied["3xtf32"] and 1 or cuda.multiplied.tf32 and 2 or 0
  if not way then return { 0, 0, 0, tensor_cores } end
  return { way.size, way.lanes // cuda.tile, way.bytes, tensor_cores }
end

--- Is a whole solve one launch, but for the first steps of a method that remembers them?
function cuda.solves(p) return p.forward.finish end

--- Are many steps of the adjoint system?  Not if a rule is applied to every step, whose dense output takes further stages.
function cuda.solves_back(p)
  local rule = p.adjoint and p.adjoint.system.rule
  return p.adjoint and not p.adjoint.start and not p.m.tab.late and
         (not rule or rule.differences or not p.adjoint.kernels.integrand or p.m.tab.dense.extra == 0)
end

function cuda.explain(p, lrnde, line)
  return backends.run "templates/cuda/explain.lua".model(p, cuda, lrnde, line)
end

--- A double literal, exact; hexadecimal ones are not C++14.
function cuda.double(x)
  local text = ("%.17g"):format(x)
  if not text:find "[.e]" then text = text .. ".0" end
  return x < 0 and "(" .. text .. ")" or text
end

function cuda.lane(name) return name end

--- A per-sample element, from a pointer to the thread's lane; the arrays of the thread itself have no other lanes.
function cuda.load(base, row, loops, array)
  if array and array.lane then return "(real)" .. base end
  local index = loops and (row == 0 and "i" or ("%d + i"):format(row)) or tostring(row)
  if array and array.private then return ("%s[%s]"):format(base, index) end
  if index == "0" then return "*" .. base end
  return index:find "[+]" and ("%s[(%s) * T]"):format(base, index) or ("%s[%s * T]"):format(base, index)
end

return cuda
