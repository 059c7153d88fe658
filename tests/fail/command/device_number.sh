# expect: device cpu:1st: a number from 0 stands after the colon
refused $SOLVE --device cpu:1st --output out.csv $MODELS/lotka_volterra.lua
