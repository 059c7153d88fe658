--- One training step of a model whose optimizer is L.sgd without momentum: its slot is -lr times the gradient.
--
--   log, p, gradient = one_step(s, "tests/numeric/models/fitted.lua", folder of the data, { "KEY=VALUE", ... }, seed)
--
-- the log's line, the parameters before the step and the gradient, both as flat lists; s is the model (witness/system.lua).

local check = require "check"
local tool = require "witness.tool"
local weights = require "witness.weights"

return function(s, model, data, set, seed)
  local folder = check.folder()
  local log = tool.train(model, { data = data, out = folder, set = set, seed = seed })[1]
  local tensors, p, gradient = weights.read(folder .. "/last.safetensors"), {}, {}
  check.run("rm -r " .. folder)
  for _, leaf in ipairs(s.m.params.list) do
    for i, x in ipairs(tensors[leaf.name]) do
      local change = tensors["optimizer/0/" .. leaf.name][i]
      gradient[#gradient + 1], p[#p + 1] = -change / log.lr, x - change
    end
  end
  return log, p, gradient
end
