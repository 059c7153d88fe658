/*
 * gpu_loop.c - time of a step on a GPU where there is next to nothing to compute, two equations and one sample: what every step
 * costs besides, launches, meetings of blocks, the host's waits and the solve's beginning and end shared out among its steps.
 */
#include "gpu.h"

static const double BUDGET_S = 10e-6;

static int run(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    (void)threads;
    lrnde_solver *s;
    lrnde_stats stats;
    bench_time time;
    int code = bench_gpu_open(&s, "models/lotka_volterra.lua", (const char *const[]){NULL}, 1, 1, 0, result);
    if (code || !s) return code;
    if (lrnde_solve(s, NULL, 0, &stats)) return cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(s)->text);
    const int64_t steps = stats.accepted + stats.rejected;
    bench_compare(&(bench_side){bench_gpu_solve, s, (int)steps}, 1, 0, 2, &time);
    bench_gpu_result(result, &time, "the budget", BUDGET_S);
    bench_gpu_describe(s, config);
    lrnde__json_integer(config, "batch", 1);
    lrnde__json_integer(config, "steps", steps);
    lrnde_destroy(s);
    return EXIT_DONE;
}

static const lrnde_bench_case gpu_loop = {
    "gpu_loop", "on a GPU, not run on one yet: time of a step of Lotka-Volterra, one sample, all of it, against 10 us", 1, run};
LRNDE_BENCH_CASE(gpu_loop);
