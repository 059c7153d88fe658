# expect: 'require' is not available in a data file
refused $GEN --method $MODELS/lotka_volterra.lua -o out $MODELS/lotka_volterra.lua
