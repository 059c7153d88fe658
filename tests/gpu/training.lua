--- Training comes to the losses of the CPU: the small classifier with its regularizer, the paper's without, because what that
-- adds to its gradient at the paper's tolerance is rounding (README); with it the losses are only near.

local check = require "check"
local device = require "witness.device"
local tool = require "witness.tool"

local FASHION <const>, MNIST <const> = "models/fashion_node.lua", "models/mnist_node.lua"

device.required()

--- The lines of a training's log, there and here; nil where the data are not found, which it says.
local function train(model, options)
  local out = check.folder()
  local ok, there, here = pcall(device.both, function(name)
    options.device, options.out, options.every = name, out .. "/" .. name, 1
    return tool.train(model, options)
  end)
  check.run("rm -r " .. out)
  if ok then return there, here end
  local missing = there:match "[^\n]*no such data file[^\n]*"
  if not missing then error(there, 0) end
  print(("skipped: training %s: %s"):format(model, missing))
end

--- Losses of the first n steps are the same to a thousandth.
local function compare_losses(there, here, n)
  check.equal(#there, #here)
  for i = 1, n do check.near(there[i].loss, here[i].loss, 1e-3 * here[i].loss) end
end

check.case(FASHION .. ": twenty steps", function()
  local there, here = train(FASHION, { steps = 20 })
  if there then compare_losses(there, here, 20) end
end)

check.case(MNIST .. ", not regularized: five steps", function()
  local there, here = train(MNIST, { steps = 5, batch = 128, set = { "regularize=false" } })
  if there then compare_losses(there, here, 5) end
end)

check.case(MNIST .. ": the paper's recipe", function()
  local there, here = train(MNIST, { steps = 3, batch = 128 })
  if not there then return end
  compare_losses(there, here, 1)
  for i = 1, 3 do check.near(there[i].loss, here[i].loss, 0.1 * here[i].loss) end
end)

check.done()
