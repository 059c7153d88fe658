# expect: run/last.safetensors: the run had model digits, not numerals: it cannot be resumed
trained
sed 's/name = "digits"/name = "numerals"/' $DIGITS >numerals.lua
refused $TRAIN --data data --out run --resume numerals.lua
