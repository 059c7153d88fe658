# expect: in.csv: 3 columns where model lotka_volterra needs 2
printf '1,2,3\n' >in.csv
refused $SOLVE --input in.csv --output out.csv $MODELS/lotka_volterra.lua
