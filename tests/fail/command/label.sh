# expect: data/train-labels-idx1-ubyte: label 7 of training sample 12 is outside 0..2
printf '\7' | dd of=data/train-labels-idx1-ubyte bs=1 seek=20 conv=notrunc 2>dd.log
refused $TRAIN --data data --out out $DIGITS
