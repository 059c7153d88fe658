# expect: in.npy: not a .npy file
echo text >in.npy
refused $SOLVE --input in.npy --output out.csv $MODELS/lotka_volterra.lua
