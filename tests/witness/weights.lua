--- Reads a safetensors file of doubles.

local weights = {}

--- Every tensor as a flat list of numbers, by name.
function weights.read(path)
  local file <close> = assert(io.open(path, "rb"))
  local bytes = file:read "a"
  local size = string.unpack("<I8", bytes)
  local tensors = {}
  for name, first, last in bytes:sub(9, 8 + size):gmatch '"([^"]*)":{"dtype":"F64","shape":%[[%d,]*%],"data_offsets":%[(%d+),(%d+)%]}' do
    local numbers = {}
    for at = first, last - 8, 8 do numbers[#numbers + 1] = string.unpack("<d", bytes, 9 + size + at) end
    tensors[name] = numbers
  end
  return tensors
end

return weights
