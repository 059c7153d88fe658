-- expect: 3: error: ran for more than 50000000 instructions (an endless loop?)
local n = 0
while true do n = n + 1 end
