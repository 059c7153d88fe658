# expect: --mesh and --h both give the steps
refused $SOLVE --mesh 0,1,2 --h 0.5 $MODELS/lotka_volterra.lua
