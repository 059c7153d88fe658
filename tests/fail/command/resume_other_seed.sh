# expect: run/last.safetensors: the run had --seed 0, not 3: it cannot be resumed
trained
refused $TRAIN --data data --out run --resume --seed 3 $DIGITS
