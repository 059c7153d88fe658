# expect: run/last.safetensors: 
trained
: >run/last.safetensors
refused $TRAIN --data data --out run --resume $DIGITS
