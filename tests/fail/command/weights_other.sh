# expect: run/best.safetensors: not weights of model lotka_volterra
trained
refused $SOLVE --weights run/best.safetensors $MODELS/lotka_volterra.lua
