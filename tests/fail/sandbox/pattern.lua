-- expect: 2: error: 'string.gsub' is not available in a model file
return ("x"):rep(100):gsub(("x-"):rep(50) .. "y", "")
