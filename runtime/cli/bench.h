/*
 * bench.h - a case of lrnde-bench: something of ours timed against a peer in one run.
 *
 * A case is found because its file is there: LRNDE_BENCH_CASE(name) puts it into a table that the linker collects.
 */
#ifndef LRNDE_CLI_BENCH_H
#define LRNDE_CLI_BENCH_H

#include "cli/options.h"
#include "io/jsonl.h"

typedef struct lrnde_bench_result {
    double ours_s, reference_s;        /* medians; reference_s NAN: the peer is not installed, so the case does not count; */
    char uncounted[256];               /* or why else it does not, if it does not: ours_s NAN where nothing could be measured */
    double least_s, reference_least_s; /* the fastest of each */
    double spread;                     /* interquartile range / median of ours */
    const char *reference;             /* the peer's name and version */
    const char *library;               /* what it computes with, if it is another's; NULL: nothing to say */
    const char *note;                  /* what a reader must know to trust the ratio; NULL: nothing */
    int threads;
} lrnde_bench_result;

typedef struct lrnde_bench_case {
    const char *name, *doc;
    double target; /* the ratio that is promised: at most */
    /*
     * Measures both sides, interleaved, on so many threads (0: all) unless the case is one of a single thread, and adds what
     * it measured them with as members of config.  Returns an exit code.
     */
    int (*run)(int threads, lrnde_bench_result *result, lrnde__json *config);
} lrnde_bench_case;

extern const options_tool lrnde_bench_tool; /* for messages */

#define LRNDE_BENCH_CASE(bench)                                                                                                  \
    static const lrnde_bench_case *const bench##_entry __attribute__((section("lrnde_bench_cases"), used)) = &bench

#endif
