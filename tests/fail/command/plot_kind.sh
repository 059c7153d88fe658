# expect: --plot: 'out.gif' ends neither in .svg nor in .png
refused $SOLVE --plot out.gif $MODELS/lotka_volterra.lua
