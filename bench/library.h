/* library.h - which kernels the matrix library chose: one that does not know a new processor takes those for a very old one. */
#ifndef LRNDE_BENCH_LIBRARY_H
#define LRNDE_BENCH_LIBRARY_H

#include "cli/bench.h"

/* Says it in the result and in what the case was measured with, and notes it if the processor can do more than they ask of it. */
void bench_library(lrnde_bench_result *result, lrnde__json *config);

#endif
