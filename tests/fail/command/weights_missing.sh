# expect: nothing.safetensors: No such file or directory
refused $TRAIN --data data --out out --weights nothing.safetensors $DIGITS
