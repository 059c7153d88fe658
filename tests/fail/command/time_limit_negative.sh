# expect: option time_limit_s is negative
refused $SOLVE --time-limit -1 $MODELS/lotka_volterra.lua
