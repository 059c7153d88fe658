# expect: --u0: 1 numbers, the state of lotka_volterra has 2
refused $SOLVE --u0 1 --output out.csv $MODELS/lotka_volterra.lua
