--- y = act(W x + w_t t + b): W is (outputs, inputs); w_t, the last column of the stored weight, only with time = true.
--
--   L.dense { inputs, outputs, [activation,] time = false, bias = true, init = L.glorot(1) }

local initial = require "language.initial"
local value = require "language.value"

local dense = {
  doc = "act(W x + w_t t + b)",
  options = { time = "boolean?", bias = "boolean?", init = "table?" },
}

--- o: the table the user gave.  Returns the layer: sizes, leaves and what it computes.
function dense.new(o)
  local inputs, outputs, activation = o[1], o[2], o[3] or "identity"
  for i, n in ipairs { inputs or false, outputs or false } do
    if math.type(n) ~= "integer" or n < 1 or n > 1000000 then
      error(("L.dense: size %d must be a whole number from 1 to 1,000,000"):format(i), 0)
    end
  end
  if inputs == nil or outputs == nil then error("L.dense { inputs, outputs, activation }: two sizes are needed", 0) end
  local act = type(activation) == "function" and activation or value.activations[activation]
  if not act then
    error(("L.dense: unknown activation '%s'%s"):format(tostring(activation), value.suggest_activation(activation)), 0)
  end
  local columns = inputs + (o.time and 1 or 0)
  local init = o.init or initial.glorot()
  if not initial.is(init) then error("L.dense: init must be L.glorot(gain) or L.uniform(a, b)", 0) end
  if init.kind == "glorot" then init = { kind = "glorot", a = init.a, b = columns + outputs } end
  return {
    inputs = inputs,
    outputs = outputs,
    leaves = function(prefix)
      local weight = prefix .. ".weight"
      local list = { { name = weight, dims = { outputs, inputs }, key_cols = columns, init = init } }
      if o.time then
        list[#list + 1] = { name = prefix .. ".time", dims = { outputs }, key = weight, key_rank = 2, key_col = inputs,
                            key_cols = columns, init = init }
      end
      if o.bias ~= false then
        list[#list + 1] = { name = prefix .. ".bias", dims = { outputs }, init = { kind = "constant", a = 0 } }
      end
      return list
    end,
    apply = function(x, leaf, prefix, t)
      local y = value.matvec(leaf(prefix .. ".weight"), x)
      local shift = o.bias ~= false and leaf(prefix .. ".bias") or nil
      if o.time then
        local column = leaf(prefix .. ".time") * t
        shift = shift and shift + column or column
      end
      y = act(shift and y + shift or y)
      if not value.is(y) or value.rank(y) ~= 1 or value.size(y) ~= outputs then
        error(("%s: the activation must give %d features"):format(prefix, outputs), 0)
      end
      return y
    end,
  }
end

return dense
