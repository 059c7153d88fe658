# expect: --steps: '0' is not a whole number, 1 or more
refused $TRAIN --data data --out out --steps 0 $DIGITS
