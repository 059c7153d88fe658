# expect: --resume and --weights both say where to start
trained
refused $TRAIN --data data --out run --resume --weights run/best.safetensors $DIGITS
