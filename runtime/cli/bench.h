/*
 * bench.h - a case of lrnde-bench: something of ours timed against a peer in one run.
 *
 * A case is found because its file is there: LRNDE_BENCH_CASE(name) puts it into a table that the linker collects.
 */
#ifndef LRNDE_CLI_BENCH_H
#define LRNDE_CLI_BENCH_H

#include "io/jsonl.h"

typedef struct lrnde_bench_result {
    double ours_s, reference_s; /* medians; reference_s NAN: the peer is not installed, so the case does not count */
    double spread;              /* (max - min) / median of ours */
    const char *reference;      /* the peer's name and version */
    int threads;
} lrnde_bench_result;

typedef struct lrnde_bench_case {
    const char *name, *doc;
    /* Measures both sides, interleaved, and adds what it measured them with as members of config.  Returns an exit code. */
    int (*run)(lrnde_bench_result *result, lrnde__json *config);
} lrnde_bench_case;

#define LRNDE_BENCH_CASE(bench)                                                                                                  \
    static const lrnde_bench_case *const bench##_entry __attribute__((section("lrnde_bench_cases"), used)) = &bench

#endif
