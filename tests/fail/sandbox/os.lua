-- expect: 3: error: 'os' is not available in a model file
local name = "x"
os.execute("true " .. name)
