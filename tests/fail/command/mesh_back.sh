# expect: mesh point 2, 2, does not move on from 5
refused $SOLVE --mesh 0,5,2 --output out.csv $MODELS/lotka_volterra.lua
