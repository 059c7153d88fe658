# expect: --trajectories: lotka_volterra is not stochastic
refused $SOLVE --trajectories 10 $MODELS/lotka_volterra.lua
