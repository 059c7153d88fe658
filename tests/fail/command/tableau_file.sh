# expect: nothing.lua: No such file or directory
refused $GEN --tableau nothing.lua
