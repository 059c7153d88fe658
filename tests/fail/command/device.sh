# expect: device opencl: no such device; there are auto,
refused $SOLVE --device opencl --output out.csv $MODELS/lotka_volterra.lua
