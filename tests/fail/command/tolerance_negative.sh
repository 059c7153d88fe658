# expect: --atol and --rtol must not be negative
refused $SOLVE --rtol -1e-3 --output out.csv $MODELS/lotka_volterra.lua
