# expect: save time 1, 11, is out of order or outside of [0, 10]
refused $SOLVE --saveat 5,11 --output out.csv $MODELS/lotka_volterra.lua
