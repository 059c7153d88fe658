--- Inputs for a kernel's graph: random, reproducible, in the range where the kernel makes sense.

local fields = require "fields"

local probe = {}

local scalars = { t = 0.3, h = 0.1, theta = 0.4, atol = 1e-3, rtol = 1e-3, lr = 1e-3, step = 3, h_1 = 0.07, h_2 = 0.12,
                  difference = 0.02, n = 7, cot = 1 }

local function as_float(x) return (string.unpack("f", string.pack("f", x))) end

--- { [field] = numbers } for every input of the graph, with `batch` samples; seed decides all.  Numbers that kernels read
-- from arrays are rounded to the model's precision, so that an f32 kernel starts from the very same ones.
function probe.inputs(graph, m, batch, seed)
  math.randomseed(seed, 0x9e3779b9)
  local inputs = {}
  for _, id in ipairs(graph:inputs()) do
    local v = graph:value(id)
    local base, index = fields.split(v.name)
    local n = v.kind == "sample" and batch or 1
    for _, d in ipairs(v.dims) do n = n * d end
    local data = base == "data" and m.data.inputs[index + 1]
    local spread = #v.dims == 2 and math.sqrt(3 / v.dims[2]) or 1
    local function draw() return spread * (2 * math.random() - 1) end
    if base == "weight" then
      draw = function() return 1 / batch end
    elseif scalars[base] and #v.dims == 0 then
      draw = function() return scalars[base] end
    elseif data and data.label then
      draw = function() return math.random(0, data.classes - 1) end
    elseif base == "sums" then
      draw = math.random
    elseif base == "in" and v.kind == "shared" then                    -- optimizer slots: second moments are not negative
      draw = function() return math.abs(2 * math.random() - 1) end
    end
    local numbers = {}
    for i = 1, n do numbers[i] = draw() end
    if m.precision == "f32" and not (scalars[base] or base == "weight" or base == "sums" or base == "cot_sums") then
      for i = 1, n do numbers[i] = as_float(numbers[i]) end
    end
    inputs[v.name] = numbers
  end
  return inputs
end

return probe
