# expect: run/last.safetensors: no checkpoint of a training run: it has no 'step'
trained
cp run/best.safetensors run/last.safetensors
refused $TRAIN --data data --out run --resume $DIGITS
