-- expect: 3: error: no rate given
local rate
assert(rate, "no rate given")
