-- expect: 2: error: '_G' is not available in a model file
return _G
