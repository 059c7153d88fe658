--- Networks: layers in a chain, declared once by the model file, built into every kernel that calls them.
--
-- A declaration holds layers and sizes only.  Bound to a kernel (network.bind) it becomes a function of values that reads
-- its weights from that kernel's parameters: calling it twice shares them.  A kernel with a list `layers` is told what each gave.

local contract = require "language.contract"
local host = require "host"
local registry = require "language.registry"
local value = require "language.value"

local network = {}
local Network = { __name = "network" }
Network.__index = Network

function network.is(x) return getmetatable(x) == Network end

local layers = registry.open("layers", { doc = "string", options = "table", new = "function" })
network.layers = layers

--- The constructor L.<name> of a layer: checks the options, returns a network of that one layer.
function network.constructor(name)
  local layer = layers:get(name)
  return function(o)
    contract.options(name, o, layer.options)
    local made = layer.new(o)
    return setmetatable({ items = { made }, inputs = made.inputs, outputs = made.outputs }, Network)
  end
end

--- L.chain { ... }: networks and plain functions of values, applied in order; sizes of neighbours must agree.
function network.chain(items)
  if type(items) ~= "table" then error("L.chain takes a list, as in L.chain { ... }", 0) end
  local chain, last, first = {}, nil, nil
  for i, item in ipairs(items) do
    if network.is(item) then
      if last and item.inputs and last ~= item.inputs then
        error(("L.chain: item %d gives %d features but item %d takes %d"):format(i - 1, last, i, item.inputs), 0)
      end
      first = first or item.inputs
      last = item.outputs or last
    elseif type(item) ~= "function" then
      error(("L.chain: item %d is a %s; layers, networks and functions go there"):format(i, type(item)), 0)
    end
    chain[i] = item
  end
  if #chain == 0 then error("L.chain: it is empty", 0) end
  return setmetatable({ items = chain, chain = true, inputs = first, outputs = last }, Network)
end

--- Calls visit(item, prefix) for every layer and function; a chain's items are numbered from 0 as in Python and Julia.
local function walk(net, prefix, visit)
  for i, item in ipairs(net.items) do
    local name = net.chain and ("%s.%d"):format(prefix, i - 1) or prefix
    if network.is(item) then walk(item, name, visit) else visit(item, name) end
  end
end

--- Declares the weights of net under prefix.
function network.declare(net, prefix, params)
  walk(net, prefix, function(item, name)
    if type(item) == "table" then for _, leaf in ipairs(item.leaves(name)) do params:add(leaf) end end
  end)
end

--- net as a function of values in kernel k; t is what layers with time = true read.
function network.bind(net, prefix, k, t)
  return function(x)
    x = value.lift(k.graph, x)
    x = value.spread(value.rank(x) == 0 and value.concat(x) or x)
    walk(net, prefix, function(item, name)
      if type(item) == "function" then
        x = host.guarded(item, x)
        if not value.is(x) then error(("%s is a function that gives a %s, not a value"):format(name, type(x)), 0) end
      else
        if value.rank(x) == 0 then x = value.concat(x) end
        local n = value.size(x)
        if n ~= item.inputs then
          error(("%s takes %d features but is given %d"):format(name, item.inputs, n), 0)
        end
        x = item.apply(x, function(leaf) return k:param(leaf) end, name, t)
      end
      if k.layers then table.insert(k.layers, { name = name, value = x }) end
    end)
    return x
  end
end

return network
