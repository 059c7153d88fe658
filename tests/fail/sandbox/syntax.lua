-- expect: 4: error: syntax error near 'local'
local a = 1
b
local c = 2
