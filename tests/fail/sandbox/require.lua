-- expect: 2: error: 'require' is not available in a model file
local io = require "io"
return io
