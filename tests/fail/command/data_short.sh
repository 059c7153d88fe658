# expect: data/t10k-images-idx3-ubyte: truncated
truncate -s -3 data/t10k-images-idx3-ubyte
refused $TRAIN --data data --out out $DIGITS
