-- expect: 2: error: 'getmetatable' is not available in a model file
getmetatable("").__index = nil
