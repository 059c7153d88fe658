-- expect: 4: error
local L = require "lrnde"
return L.ode {
  name = "fails" precision = "f64",
}
