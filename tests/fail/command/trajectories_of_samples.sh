# expect: --trajectories: two.csv has 2 samples, not one
printf '1\n2\n' > two.csv
refused $SOLVE --trajectories 10 --input two.csv $MODELS/gbm.lua
