--- What needs a GPU: the shipped models take the same steps and come to the same ends there as on the CPU.
--
-- make check-gpu runs it.  Where no such device opens it says why and passes.  LRNDE_DEVICE names another device.

local check = require "check"
local host = require "host"
local tool = require "witness.tool"

local DEVICE <const> = os.getenv "LRNDE_DEVICE" or "cuda"
local TRAINED <const> = "models/fashion_node.lua"

local message, status = check.run(("%s --device %s models/lotka_volterra.lua"):format(check.tool "lrnde-solve", DEVICE))
if status == 1 then
  print("skipped: " .. message:gsub("\n.*", ""))
  check.done()
  return
end

--- Models that need no data: those that lrnde-solve solves as they are.
local function solvable(model)
  return select(2, check.run(("%s --threads 1 %s"):format(check.tool "lrnde-solve", model))) == 0
end

local function both(run) return run(DEVICE), run "cpu" end

for _, name in ipairs(host.list(host.root .. "/models")) do
  local model = "models/" .. name
  if name:match "%.lua$" and solvable(model) then
    check.case(name .. ": the steps and the end of the CPU", function()
      local there, here = both(function(device) return tool.solve(model, { device = device, stats = true }) end)
      check.equal({ there.accepted, there.rejected, there.nfe }, { here.accepted, here.rejected, here.nfe })
      for i, u in ipairs(here.u) do
        for j, x in ipairs(u) do check.near(there.u[i][j], x, 1e-9 * (1 + math.abs(x))) end
      end
    end)
  end
end

check.case(TRAINED .. ": twenty training steps", function()
  local there, here = both(function(device)
    local out = check.folder()
    local log = tool.train(TRAINED, { device = device, steps = 20, every = 1, out = out })
    check.run("rm -r " .. out)
    return log
  end)
  check.equal(#there, #here)
  for i = 1, 20 do check.near(there[i].loss, here[i].loss, 1e-3 * here[i].loss) end
end)

check.done()
