# expect: --plot shows one trajectory: not with --trajectories
refused $SOLVE --trajectories 10 --plot a.svg $MODELS/gbm.lua
