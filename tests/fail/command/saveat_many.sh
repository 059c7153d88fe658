# expect: --saveat: more than 10000000 times
refused $SOLVE --saveat 1e-9 --output out.csv $MODELS/lotka_volterra.lua
