# expect: data/train-images-idx3-ubyte: 4 numbers a sample for input 'x' of the model, which has 9
sed 's/size = 4/size = 9/; s/state = 4/state = 9/; s/dense { 4, 4/dense { 9, 9/; s/dense { 4, 3/dense { 9, 3/' $DIGITS >nine.lua
refused $TRAIN --data data --out out nine.lua
