-- expect: 3: error: needs more than 256 MiB of memory
local s = "x"
while true do s = s .. s end
