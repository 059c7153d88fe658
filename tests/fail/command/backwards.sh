# expect: a stochastic equation is solved forwards in time, not from 1 to 0
refused $SOLVE --tspan 1,0 $MODELS/gbm.lua
