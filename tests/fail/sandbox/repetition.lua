-- expect: 2: error: needs more than 256 MiB of memory
return ("x"):rep(1 << 30)
