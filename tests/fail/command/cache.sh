# expect: /dev/null/cache: cannot create the folder
export LRNDE_CACHE=/dev/null/cache
refused $SOLVE --output out.csv $MODELS/lotka_volterra.lua
