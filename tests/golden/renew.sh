#!/bin/sh
# Writes the golden text, the step of bs3 over Lotka-Volterra as C:  sh tests/golden/renew.sh BUILD [FOLDER]
set -e
folder=${2:-tests/golden}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
"$1/lrnde-gen" --target c --method bs3 --out "$work" models/lotka_volterra.lua
awk '/^\/\* ---- /{ on = $3 == "step:" } on' "$work/lotka_volterra.c" >"$folder/lotka_volterra_bs3_step.c"
