# expect: tolerance: atol = 0, rtol = 0
refused $SOLVE --atol 0 --rtol 0 --output out.csv $MODELS/lotka_volterra.lua
