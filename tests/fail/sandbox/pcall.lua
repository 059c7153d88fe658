-- expect: 2: error: 'pcall' is not available in a model file
return pcall(error)
