# expect: data/t10k-labels-idx1-ubyte.gz: the gzip file is truncated
gzip data/t10k-labels-idx1-ubyte
truncate -s -6 data/t10k-labels-idx1-ubyte.gz
refused $TRAIN --data data --out out $DIGITS
