# expect: lrnde-gen: error: unknown option '--metod'; did you mean '--method'?
refused $GEN --metod bs3 $MODELS/lotka_volterra.lua
