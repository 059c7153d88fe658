# expect: data/train-images-idx3-ubyte: not an IDX file of rank 3: the magic number is 0x00000801
cp data/train-labels-idx1-ubyte data/train-images-idx3-ubyte
refused $TRAIN --data data --out out $DIGITS
