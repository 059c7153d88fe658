# expect: --gradient: the index is outside the state at 'u[3]'
refused $SOLVE --gradient 'u[3]' $MODELS/lotka_volterra.lua
