-- expect: 3: error: the step is negative
local function step(h)
  if h < 0 then error("the step is negative") end
end
step(-1)
