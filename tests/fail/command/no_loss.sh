# expect: lotka_volterra.lua: the model has no loss: there is nothing to train
refused $TRAIN --out out $MODELS/lotka_volterra.lua
