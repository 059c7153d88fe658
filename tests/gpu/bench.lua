--- The GPU cases of lrnde-bench run; what they measure is printed.

local check = require "check"
local device = require "witness.device"

device.required()

for name in check.run(check.tool "lrnde-bench" .. " --list"):gmatch "(gpu_[%w_]+) " do
  check.case(name, function()
    local text, status = check.run(("LRNDE_DEVICE=%s %s %s"):format(device.name, check.tool "lrnde-bench", name))
    io.write(text)
    check.equal(status, 0)
    check.contains(text, name)
  end)
end

check.done()
