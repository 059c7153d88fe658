# expect: t10k-labels-idx1-ubyte[.gz]: no such data file; searched data
rm data/t10k-labels-idx1-ubyte
refused $TRAIN --data data --out out $DIGITS
