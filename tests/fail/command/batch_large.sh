# expect: a batch of 41 is more than the 40 training samples of model digits
refused $TRAIN --data data --out out --batch 41 $DIGITS
