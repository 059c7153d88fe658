# expect: --params: 2 numbers, lotka_volterra has 4
refused $SOLVE --params 1,2 --output out.csv $MODELS/lotka_volterra.lua
