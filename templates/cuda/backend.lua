--- CUDA C++ for NVRTC: C's spelling of ops and numbers, but a thread is a sample, so that a lane is a variable, not an array.
--
-- In small models a tile is a warp, and what lies between its loops stays in the thread.  Where layers are matrices a tile has fewer
-- samples, so that there are more of them, and a block of several warps shares it: its members, a lane for each sample, divide
-- the features, and its warps the matrix products.

local backends = require "backends"
local host = require "host"
local products = backends.run "templates/cuda/products.lua"
local template = require "template"

local cuda = backends.spelling "c"

cuda.name, cuda.extension, cuda.doc = "cuda", "cu", "CUDA C++, compiled by NVRTC at run time; a warp, or a block, a tile"
cuda.files = { { extension = ".cu", template = "model.cu.in" } }
cuda.carried = true

local WARP <const> = 32
local WIDE <const> = 4096          -- elements of a matrix from which a block shares a tile

cuda.counts = { "l", "valid" }

for word in ([[args member end chunk s0 next course TEAM accumulator threadIdx blockIdx blockDim gridDim warpSize
               template class this new delete operator private protected public namespace using typename bool true false try catch
               throw friend virtual explicit mutable and or not xor asm export signal constexpr decltype nullptr noexcept alignas
               fma fmaf abs max min fabs fabsf sqrtf expf log1p log1pf logf sinf cosf tanhf powf]]):gmatch "%S+" do
  table.insert(cuda.reserved, word)
end

--- The elementwise functions and sums every generated file carries, and the products of its kind of tile.
function cuda.math()
  local tile = cuda.team > 1 and "team" or "lane"
  return assert(host.read(host.root .. "/templates/cuda/math.cuh")) .. "\n"
         .. template.fill(("templates/cuda/%s.cuh"):format(tile), { panel = products.PANEL })
end

function cuda.set_model(m)
  cuda.precision, cuda.tile, cuda.team = m.precision, WARP, 1
  if m.params:largest_matrix() >= WIDE then
    cuda.tile, cuda.team = products.TILE, products.WARPS * WARP // products.TILE
  end
  cuda.accumulator = m.accumulate == "double" and "double" or "real"
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
