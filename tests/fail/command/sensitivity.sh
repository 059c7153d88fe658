# expect: no 'discreet' in sensitivities/; did you mean 'discrete'?
refused $SOLVE --gradient 'u[1]' --sensitivity discreet $MODELS/lotka_volterra.lua
