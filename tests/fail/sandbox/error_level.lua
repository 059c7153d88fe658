-- expect: 5: error: the step is negative
local function step(h)
  if h < 0 then error("the step is negative", 2) end
end
step(-1)
