# expect: option adjoint_rtol is negative
refused $SOLVE --adjoint-rtol -1 --gradient "u[1]" --sensitivity gauss $MODELS/lotka_volterra.lua
