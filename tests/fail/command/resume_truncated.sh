# expect: run/last.safetensors: truncated
trained
truncate -s -8 run/last.safetensors
refused $TRAIN --data data --out run --resume $DIGITS
