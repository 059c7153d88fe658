# expect: device opencl: no such device
refused $SOLVE --device opencl --output out.csv $MODELS/lotka_volterra.lua
