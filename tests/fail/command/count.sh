# expect: data/train-labels-idx1-ubyte: 16 samples where data/train-images-idx3-ubyte has 40
cp data/t10k-labels-idx1-ubyte data/train-labels-idx1-ubyte
refused $TRAIN --data data --out out $DIGITS
