# expect: --tspan takes two different numbers
refused $SOLVE --tspan 1,1 --output out.csv $MODELS/lotka_volterra.lua
