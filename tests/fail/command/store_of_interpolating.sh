# expect: sensitivity.store: error: unknown field
refused $SOLVE --gradient 'u[1]' --sensitivity interpolating --set sensitivity.store=state $MODELS/lotka_volterra.lua
