# expect: lrnde-solve: error: unknown option '--tspn'; the nearest is '--tspan'
refused $SOLVE --tspn 0,1 $MODELS/lotka_volterra.lua
