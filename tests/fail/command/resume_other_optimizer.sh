# expect: run/last.safetensors: the run had optimizer adam, not adamax: it cannot be resumed
trained
refused $TRAIN --data data --out run --resume --set train.optimizer=adamax $DIGITS
