# expect: options adjoint_atol, adjoint_rtol: the gradient of lotka_volterra is by "discrete", which solves no adjoint
refused $SOLVE --adjoint-atol 1e-9 --gradient "u[1]" $MODELS/lotka_volterra.lua
