# expect: --trajectories takes 2 to 1000000000
refused $SOLVE --trajectories 1 $MODELS/gbm.lua
