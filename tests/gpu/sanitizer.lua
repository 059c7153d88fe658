--- compute-sanitizer has nothing to say about short solves and a short training: no access out of bounds, no race in shared
-- memory.

local check = require "check"
local device = require "witness.device"

local TOOLS <const> = { "memcheck", "racecheck" }
local SAID <const> = 86         -- the status of what it objects to

device.required()

local sanitizer = check.run("PATH=$PATH:/usr/local/cuda/bin command -v compute-sanitizer"):gsub("\n", "")
if sanitizer == "" then
  print "skipped: there is no compute-sanitizer"
  check.done()
end

--- Runs a tool of ours under all of its tools.
local function clean(name, arguments)
  for _, what in ipairs(TOOLS) do
    check.case(("%s: %s %s"):format(what, name, arguments), function()
      local command = ("%s --tool %s --error-exitcode %d %s --device %s %s"):format(sanitizer, what, SAID, check.tool(name),
                                                                                    device.name, arguments)
      local text, status = check.run(command)
      if status ~= 0 then error(("%s: exit status %d\n%s"):format(command, status, text)) end
    end)
  end
end

local out = check.folder()
clean("lrnde-solve", "--tspan 0,1 --saveat 0.3 models/lotka_volterra.lua")                 -- a warp a tile
clean("lrnde-solve", "--tspan 0,1 --gradient 'u[1]+u[2]' --sensitivity gauss models/lotka_volterra.lua")
clean("lrnde-solve", "--trajectories 40 --tspan 0,0.1 models/gbm.lua")
clean("lrnde-train", "--steps 2 --batch 9 --out " .. out .. " models/fashion_node.lua")    -- a block, with shared memory
check.run("rm -r " .. out)

check.done()
