/*
 * gpu_lorenz.c - an ensemble of 8 388 608 Lorenz trajectories with rho from 0 to 21, adaptive steps, against the fastest figure
 * that is published for it: MPGOS (RKCK45), 48.8 ms on a V100, in the raw files of GPUODEBenchmarks, where EnsembleGPUKernel (Tsit5)
 * has 69.5 ms.  Those take steps of each trajectory's own, these are one batch's; for all the tolerance, 1e-8, is below rounding.
 */
#include "gpu.h"

#include <stdlib.h>

static const double MPGOS_S = 48.8e-3;

static void set_ensemble(lrnde_solver *s, int32_t trajectories)
{
    enum { STATE = 4, MOST_RHO = 21 };
    const size_t bytes = (size_t)trajectories * STATE * sizeof(float);
    float *u0 = malloc(bytes);
    if (!u0) abort();
    for (int32_t i = 0; i < trajectories; i++) {
        float *u = u0 + (size_t)i * STATE;
        u[0] = 1, u[1] = u[2] = 0, u[3] = (float)(MOST_RHO * (double)i / (trajectories - 1));
    }
    lrnde_set(s, "u0", u0, bytes);
    free(u0);
}

static int run(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    enum { MANY = 8388608, FEW = 8192 };
    (void)threads;
    lrnde_solver *s;
    lrnde_stats stats;
    bench_time time;
    int code = bench_gpu_open(&s, "bench/lorenz.lua", (const char *const[]){NULL}, MANY, FEW, 0, result);
    if (code || !s) return code;
    set_ensemble(s, lrnde_batch(s));
    if (lrnde_solve(s, NULL, 0, &stats)) return cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(s)->text);
    bench_compare(&(bench_side){bench_gpu_solve, s, 1}, 1, 0, 2, &time);
    bench_gpu_result(result, &time, "MPGOS on a V100, published,", MPGOS_S);
    bench_gpu_describe(s, config);
    lrnde__json_integer(config, "trajectories", lrnde_batch(s));
    lrnde__json_integer(config, "accepted", stats.accepted);
    lrnde__json_integer(config, "rejected", stats.rejected);
    lrnde_destroy(s);
    return EXIT_DONE;
}

static const lrnde_bench_case gpu_lorenz = {
    "gpu_lorenz",
    "on a GPU, not run on one yet: 8.4 million Lorenz trajectories, f32, adaptive, against MPGOS's published figure", 1, run};
LRNDE_BENCH_CASE(gpu_lorenz);
