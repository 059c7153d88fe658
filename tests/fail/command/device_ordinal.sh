# expect: device cpu: there is no device 1
refused $SOLVE --device cpu:1 --output out.csv $MODELS/lotka_volterra.lua
