# expect: data/train-images-idx3-ubyte.gz: the gzip file is truncated
gzip data/train-images-idx3-ubyte
truncate -s 60 data/train-images-idx3-ubyte.gz
refused $TRAIN --data data --out out $DIGITS
