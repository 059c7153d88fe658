# expect: lotka_volterra has no regularizer
refused $SOLVE --local-step 1 $MODELS/lotka_volterra.lua
