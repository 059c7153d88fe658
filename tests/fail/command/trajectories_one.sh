# expect: --trajectories takes at least two
refused $SOLVE --trajectories 1 $MODELS/gbm.lua
