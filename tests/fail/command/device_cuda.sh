# expect: device cuda: no NVIDIA driver: 
echo "not a library" >libcuda.so.1
export LD_LIBRARY_PATH=$PWD
refused $SOLVE --device cuda --output out.csv $MODELS/lotka_volterra.lua
