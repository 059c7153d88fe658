-- expect: 3: error: attempt to call a nil value (field 'cosh')
local m = { cos = math.cos }
return m.cosh(1)
