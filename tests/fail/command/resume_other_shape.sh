# expect: run/last.safetensors: tensor 'dynamics.weight' is (4, 5) where the model has (4, 4)
trained
sed 's/, time = true//' $DIGITS >plain.lua
refused $TRAIN --data data --out run --resume plain.lua
