/*
 * rig.h - kernels of a model without a solver: generated, compiled and loaded as the tools do it, with every array a system's
 * kernels can ask for, launched through the CPU driver.
 */
#ifndef LRNDE_BENCH_RIG_H
#define LRNDE_BENCH_RIG_H

#include "driver.h"
#include "lrnde.h"

enum { BENCH_RIG_BLOCKS = 64 };

typedef struct bench_rig {
    const lrnde_model_desc *model;
    lrnde_device *device;
    lrnde_args args; /* for kernels of the forward system: a step of 0.05 from a random state, and a random cotangent */
    void *block[BENCH_RIG_BLOCKS];
    int n_blocks;
} bench_rig;

/* A kernel to launch so many times; run bench_launch with it as a side of a comparison. */
typedef struct bench_kernel {
    bench_rig *rig;
    const lrnde_kernel *kernel;
    int launches;
} bench_kernel;

/* Builds a model of this source tree with the settings "KEY=VALUE" of a NULL-terminated list.  Returns an exit code. */
int bench_model(const char *file, const char *const *settings, const lrnde_model_desc **model);

/* threads 0: all.  Returns an exit code. */
int bench_rig_open(bench_rig *rig, const lrnde_model_desc *model, int32_t batch, int32_t threads);
void bench_rig_close(bench_rig *rig);
void bench_launch(void *kernel);

/* Fills an array of float or double with uniform numbers in [low, low + range), the same ones every time. */
void bench_random(void *x, int32_t real_bytes, int64_t n, double low, double range);

#endif
