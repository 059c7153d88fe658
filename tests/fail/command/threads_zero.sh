# expect: --threads: '0' is not a whole number, 1 or more
refused $TRAIN --data data --out out --threads 0 $DIGITS
