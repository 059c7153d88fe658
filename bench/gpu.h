/*
 * gpu.h - what cases on a GPU have in common.  They do not count where there is none.
 *
 * LRNDE_DEVICE names another device: "cpu" has the code run, at sizes for a CPU.  No case has been run on a GPU yet.
 */
#ifndef LRNDE_BENCH_GPU_H
#define LRNDE_BENCH_GPU_H

#include "cli/bench.h"
#include "lrnde.h"
#include "timing.h"

/*
 * A solver of the model, built with the settings of a NULL-terminated list, on the GPU with a batch of `many`, else, where
 * LRNDE_DEVICE says so, on the CPU with one of `few`.  NULL where such a device does not open: nothing can be measured then.
 * The result says why it does not count.  Returns an exit code.
 */
int bench_gpu_open(lrnde_solver **s, const char *file, const char *const *settings, int32_t many, int32_t few, int training,
                   lrnde_bench_result *result);

/* A solve, as a side of a comparison. */
void bench_gpu_solve(void *solver);

/* The result from the time of one and what it is held to; and what it was measured with. */
void bench_gpu_result(lrnde_bench_result *result, const bench_time *ours, const char *reference, double reference_s);
void bench_gpu_describe(lrnde_solver *s, lrnde__json *config);

#endif
