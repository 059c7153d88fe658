#!/bin/sh
# The C compiler for a machine that any tool can imitate: valgrind knows no AVX-512.
exec cc "$@" -O1 -march=x86-64-v3
