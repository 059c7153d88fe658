#!/bin/sh
# Runs test programs and Lua tests one after another, prints their own closing lines, and fails if any failed.
#   sh tests/run.sh BUILD "unit programs" "lua scripts"
build=$1
failed=
export LRNDE_CACHE="${LRNDE_CACHE:-$(pwd)/$build/cache}" LRNDE_BUILD="$build"
for program in $2 $3; do
    case $program in
    *.lua) set -- "$build/tests/lua" "$program" ;;
    *) set -- "$program" ;;
    esac
    log=$build/$(echo "$program" | tr / _).log
    start=$(date +%s)
    if "$@" >"$log" 2>&1; then
        echo "ok    $program ($(($(date +%s) - start)) s)"
    else
        failed="$failed $program"
        echo "FAIL  $program: the log is $log"
        grep -vE '\[ +(OK|RUN) +\]' "$log" | tail -n 40
    fi
    grep -E '^\[  (PASSED|FAILED|SKIPPED) |^[0-9]+ passed, [0-9]+ failed' "$log"
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
echo "all tests passed"
