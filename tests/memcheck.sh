#!/bin/sh
# The tools under valgrind: no invalid access, no use of what was never written, nothing lost at the end.
#   sh tests/memcheck.sh BUILD
# BUILD must be made with OPT="-O1 -march=x86-64-v3", as valgrind knows no AVX-512; what the tools compile is held to that
# too.  Generated code and the matrix library run under valgrind as they are: nothing is suppressed.
build=$1
folder=$(mktemp -d)
failed=0 passed=0
# OMP_WAIT_POLICY keeps the tools from beginning again, without valgrind: see runtime/cli/tool.h.
export LRNDE_CACHE="$build/cache" OPENBLAS_CORETYPE=Haswell CC="$PWD/tests/portable_cc.sh" OMP_WAIT_POLICY=passive

clean() {
    tool=$1
    shift
    if valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
        "$build/$tool" "$@" >"$folder/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $tool $*"
        head -n 40 "$folder/log"
    fi
}

"$build/tests/lua" tests/fixtures/write_digits.lua "$folder/data"
awk 'BEGIN { for (i = 0; i < 72; i++) printf "%s0.5", i ? "," : ""; print "" }' >"$folder/wide.csv"

clean lrnde-gen -o "$folder/gen" models/spiral.lua
for file in generator/sensitivities/*.lua; do
    sensitivity=$(basename "$file" .lua)
    clean lrnde-solve --threads 2 --gradient "u[1]+u[2]" --sensitivity "$sensitivity" models/lotka_volterra.lua
done
clean lrnde-solve --threads 2 --gradient "u[1]" --input "$folder/wide.csv" tests/models/wide.lua
clean lrnde-train --threads 2 --data "$folder/data" --out "$folder/run" --steps 11 tests/fixtures/digits.lua
clean lrnde-train --threads 2 --data "$folder/data" --out "$folder/run" --steps 12 --resume tests/fixtures/digits.lua

rm -r "$folder"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
