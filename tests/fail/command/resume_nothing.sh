# expect: out/last.safetensors: No such file or directory
refused $TRAIN --data data --out out --resume $DIGITS
