-- expect: error
local L = require "lrnde"
return L.ode(3)
