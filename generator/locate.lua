--- The kernel that runs only after a failure: which layer of the right-hand side was the first to give what is not finite.
--
-- out[0] holds a number for each layer, in the order in which they are called: the sum of what it gave, in absolute value and
-- so scaled down that numbers which are finite add up to one that is.

local kernel = require "kernel"
local value = require "language.value"

local locate = {}

local SCALE <const> = 2.0 ^ -30                        -- more features than that do not fit into memory

--- The kernel and the names of the layers; nil and no names if the right-hand side calls no network.
function locate.kernel(m)
  local k = kernel.new("locate", m.params)
  k.layers = {}
  m.system.rhs(k, { k:component("carry[0]", m.system.components[1]) }, k:scalar "t", m.stepper.read_constants(k, m.system))
  k.rhs_evals = 1
  local names, sums = {}, {}
  for i, layer in ipairs(k.layers) do
    names[i], sums[i] = layer.name, value.sum(value.spread(value.abs(layer.value)) * SCALE)
  end
  if #names == 0 then return nil, names end
  k:output("out[0]", value.concat(table.unpack(sums)))
  return k, names
end

return locate
