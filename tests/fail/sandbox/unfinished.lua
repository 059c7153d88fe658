-- expect: 3: error: 'end' expected (to close 'function' at line 2) near <eof>
local function f()
