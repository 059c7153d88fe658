# expect: --local-step shows that step alone
refused $SOLVE --local-step 1 --gradient "u[1]" $MODELS/lotka_volterra.lua
