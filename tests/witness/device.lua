--- The device that tests/gpu is about: a GPU, or what LRNDE_DEVICE names ("cpu" has the tests run where there is none).

local check = require "check"
local host = require "host"

local device = { name = os.getenv "LRNDE_DEVICE" or "cuda" }

--- Ends the program, and well, where no such device opens; says why.
function device.required()
  local message, status = check.run(("%s --device %s models/lotka_volterra.lua"):format(check.tool "lrnde-solve", device.name))
  if status ~= 1 then return end
  print("skipped: " .. message:gsub("\n.*", ""))
  check.done()
end

--- What run(name of a device) returns, there and on the CPU.
function device.both(run) return run(device.name), run "cpu" end

--- The shipped models.
function device.models()
  local models = {}
  for _, name in ipairs(host.list(host.root .. "/models")) do
    if name:match "%.lua$" then models[#models + 1] = "models/" .. name end
  end
  return models
end

return device
