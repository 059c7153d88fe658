# expect: nothing.lua: No such file or directory
refused $SOLVE nothing.lua
