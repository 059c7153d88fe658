# expect: --u0: '1,nan' is not a list of numbers
refused $SOLVE --u0 1,nan --output out.csv $MODELS/lotka_volterra.lua
