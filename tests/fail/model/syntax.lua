-- expect: 4: error: '}' expected (to close '{' at line 3) near 'precision'
local L = require "lrnde"
return L.ode {
  name = "fails" precision = "f64",
}
