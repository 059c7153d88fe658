# expect: --output: 'out.txt' ends neither in .csv nor in .npy
refused $SOLVE --output out.txt $MODELS/lotka_volterra.lua
