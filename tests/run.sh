#!/bin/sh
# Runs test programs and Lua tests, as many at a time as there are cores (or $JOBS), prints their own closing lines, and fails
# if any failed.
#   sh tests/run.sh BUILD "unit programs" "lua scripts"
#   sh tests/run.sh BUILD one PROGRAM         a single one
build=$1

one() {
    case $1 in
    *.lua) set -- "$1" "$build/tests/lua" "$1" ;;
    *) set -- "$1" "$1" ;;
    esac
    program=$1
    shift
    log=$build/$(echo "$program" | tr / _).log
    start=$(date +%s)
    "$@" >"$log" 2>&1
    status=$?
    if [ $status = 0 ]; then
        said="ok    $program ($(($(date +%s) - start)) s)"
    else
        said="FAIL  $program (status $status): the log is $log
$(grep -vE '\[ +(OK|RUN) +\]' "$log" | tail -n 40)"
    fi
    # In one piece: others print too.
    printf '%s\n' "$said
$(grep -E '^\[  (PASSED|FAILED|SKIPPED) |^[0-9]+ passed, [0-9]+ failed' "$log")"
    return $status
}

if [ "$2" = one ]; then
    one "$3"
    exit
fi
# Several programs share the cores: threads that wait must not spin.
export LRNDE_CACHE="${LRNDE_CACHE:-$(pwd)/$build/cache}" LRNDE_BUILD="$build" OMP_WAIT_POLICY=passive
if printf '%s\n' $2 $3 | xargs -P "${JOBS:-$(nproc)}" -I PROGRAM sh "$0" "$build" one PROGRAM; then
    echo "all tests passed"
else
    echo "some tests failed: see FAIL above"
    exit 1
fi
