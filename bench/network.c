/* network.c - see network.h. */
#include "network.h"

#include "fast_math.h"
#include "rig.h"

#include <cblas.h>
#include <stdlib.h>

static float *random_array(int64_t n, double low, double range)
{
    float *x = aligned_alloc(64, ((size_t)n * sizeof *x + 63) / 64 * 64);
    if (!x) abort();
    bench_random(x, sizeof *x, n, low, range);
    return x;
}

void bench_network_open(bench_network *n)
{
    int64_t weights = (int64_t)n->wide * n->narrow, samples = n->batch;
    n->w1 = random_array(weights, -0.05, 0.1);
    n->b1 = random_array(n->narrow, -0.05, 0.1);
    n->w2 = random_array(weights, -0.05, 0.1);
    n->b2 = random_array(n->wide, -0.05, 0.1);
    n->x = random_array(samples * n->wide, 0, 1);
    n->z = random_array(samples * n->narrow, 0, 1);
    n->y = random_array(samples * n->wide, 0, 1);
    openblas_set_num_threads(1);
}

void bench_network_close(bench_network *n)
{
    float *arrays[] = {n->w1, n->b1, n->w2, n->b2, n->x, n->z, n->y};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

/* The part of a thread: its samples lie together in either order. */
static void evaluate(const bench_network *n, int first, int samples)
{
    int wide = n->wide, narrow = n->narrow, rows = n->order == BENCH_ROWS;
    const float *x = n->x + (size_t)first * (size_t)wide;
    float *z = n->z + (size_t)first * (size_t)narrow, *y = n->y + (size_t)first * (size_t)wide;
    if (rows)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, samples, narrow, wide, 1, x, wide, n->w1, wide, 0, z, narrow);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, narrow, samples, wide, 1, n->w1, wide, x, samples, 0, z, samples);
    if (!n->bare) bench_add_bias(z, n->b1, rows ? samples : narrow, rows ? narrow : samples, rows, 1);
    if (rows)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, samples, wide, narrow, 1, z, narrow, n->w2, narrow, 0, y, wide);
    else
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, wide, samples, narrow, 1, n->w2, narrow, z, samples, 0, y,
                    samples);
    if (!n->bare) bench_add_bias(y, n->b2, rows ? samples : wide, rows ? wide : samples, rows, 0);
}

void bench_network_run(void *network)
{
    const bench_network *n = network;
    for (int launch = 0; launch < n->launches; launch++) {
#pragma omp parallel for num_threads(n->threads) schedule(static, 1)
        for (int thread = 0; thread < n->threads; thread++) {
            int first = n->batch * thread / n->threads, end = n->batch * (thread + 1) / n->threads;
            for (int i = 0; i < n->evaluations; i++) evaluate(n, first, end - first);
        }
    }
}
