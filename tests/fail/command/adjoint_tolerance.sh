# expect: the adjoint starts at zero, which an absolute tolerance of 0 cannot measure: give it one of its own, sensitivity.atol or adjoint_atol
refused $SOLVE --atol 0 --gradient "u[1]" --sensitivity gauss $MODELS/lotka_volterra.lua
