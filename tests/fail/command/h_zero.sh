# expect: --h: the length of fixed steps is positive
refused $SOLVE --h 0 $MODELS/lotka_volterra.lua
