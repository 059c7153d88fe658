-- expect: error: must return L.ode { ... }
local L = require "lrnde"
return L.ode(3)
