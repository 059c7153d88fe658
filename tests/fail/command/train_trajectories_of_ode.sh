# expect: --trajectories: digits is not stochastic
refused $TRAIN --data data --out run --trajectories 3 $DIGITS
