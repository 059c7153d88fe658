/*
 * driver.c - runs the kernels of templates/c on the CPU: OpenMP threads that own contiguous ranges of tiles, and OpenBLAS,
 * single-threaded, for the matrix products of large layers.
 *
 * A thread carries its tiles through a whole kernel and meets the others only at its end.  One worker runs without a
 * parallel region: a small model must not pay for threads it has not got.
 */
#include "driver.h"

#include "normals.h"

#include <cblas.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lrnde_device {
    int32_t threads;
    size_t real_bytes;
};

static lrnde_device *cpu_open(const lrnde_model_desc *desc, int32_t ordinal, int32_t threads, char *why, size_t size)
{
    if (ordinal != 0) {
        snprintf(why, size, "there is no device %d: the processors are one", (int)ordinal);
        return NULL;
    }
    lrnde_device *d = malloc(sizeof *d);
    if (!d) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    *d = (lrnde_device){.threads = threads > 0 ? threads : omp_get_max_threads(), .real_bytes = (size_t)desc->real_bytes};
    openblas_set_num_threads(1); /* of the process: the workers are the parallelism */
    return d;
}

static void cpu_close(lrnde_device *d)
{
    free(d);
}

static int32_t cpu_threads(const lrnde_device *d)
{
    return d->threads;
}

static int32_t cpu_workers(const lrnde_device *d, int32_t tiles)
{
    return d->threads < tiles ? d->threads : tiles;
}

static void *cpu_alloc(lrnde_device *d, size_t bytes)
{
    (void)d;
    bytes = (bytes + 63) / 64 * 64;
    void *p = aligned_alloc(64, bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

static void cpu_free(lrnde_device *d, void *p)
{
    (void)d;
    free(p);
}

static void cpu_copy(lrnde_device *d, void *to, const void *from, size_t bytes)
{
    (void)d;
    memcpy(to, from, bytes);
}

static void cpu_zero(lrnde_device *d, void *p, size_t bytes)
{
    (void)d;
    memset(p, 0, bytes);
}

#define ADD_ROWS(real)                                                                                                           \
    for (int32_t row = 0; row < rows; row++)                                                                                     \
        for (int64_t i = 0; i < n; i++) ((real *)to)[i] += ((const real *)from)[row * stride + i]

static void cpu_add(lrnde_device *d, void *to, const void *from, int32_t rows, size_t stride, int64_t n)
{
    if (d->real_bytes == sizeof(float)) {
        ADD_ROWS(float);
    } else {
        ADD_ROWS(double);
    }
}

#define ADD_SQUARES(real)                                                                                                        \
    for (int64_t i = e0; i < e1; i++) sum[(i - e0) % LANES] += (double)((const real *)x)[i] * (double)((const real *)x)[i]

/* Chunk by chunk, in lanes. */
static void cpu_squares(lrnde_device *d, const void *x, int64_t n, double *total)
{
    enum { LANES = 256 };
    *total = 0;
    for (int64_t e0 = 0; e0 < n; e0 += LRNDE_CHUNK) {
        int64_t e1 = e0 + LRNDE_CHUNK < n ? e0 + LRNDE_CHUNK : n;
        double sum[LANES] = {0}, chunk = 0;
        if (d->real_bytes == sizeof(float)) {
            ADD_SQUARES(float);
        } else {
            ADD_SQUARES(double);
        }
        for (int lane = 0; lane < LANES; lane++) chunk += sum[lane];
        *total += chunk;
    }
}

enum { SERIAL_ENTRIES = 4096 }; /* that one thread is done with before others have begun */

static void cpu_normals(lrnde_device *d, const lrnde_draw *draw, int32_t n, const double *scale, void *const *to, int rounded)
{
    const int64_t rows = (int64_t)draw->tiles * draw->size;
    const size_t bytes = rounded ? d->real_bytes : sizeof(double);
#pragma omp parallel for num_threads(d->threads) if (n * rows * draw->tile > SERIAL_ENTRIES)
    for (int64_t row = 0; row < n * rows; row++) {
        const int64_t j = row / rows;
        lrnde_draw one = *draw;
        one.draw += (uint32_t)j;
        lrnde__cpu_normals(&one, scale[j], row % rows, bytes, to[2 * j], to[2 * j + 1]);
    }
}

#define COMBINE(real)                                                                                                            \
    for (int64_t i = 0; i < n; i++) ((real *)to)[i] = (real)(a * x[i] + b * y[i])

static void cpu_combine(lrnde_device *d, void *to, int rounded, double a, const double *x, double b, const double *y, int64_t n)
{
    if (rounded && d->real_bytes == sizeof(float)) {
        COMBINE(float);
    } else {
        COMBINE(double);
    }
}

/* The tiles of one worker: as even as whole tiles allow. */
static void run_tiles(const lrnde_kernel *kernel, const lrnde_args *a, int32_t worker)
{
    int64_t tiles = a->tiles;
    kernel->tile(a, (int32_t)(tiles * worker / a->workers), (int32_t)(tiles * (worker + 1) / a->workers), worker);
}

static void run_chunk(const lrnde_kernel *kernel, const lrnde_args *a, int64_t chunk)
{
    int64_t e0 = chunk * LRNDE_CHUNK, e1 = e0 + LRNDE_CHUNK;
    kernel->shared(a, e0, e1 < kernel->shared_size ? e1 : kernel->shared_size);
}

static void add_sums(const double *sums, int64_t rows, int32_t n_sums, double *total)
{
    for (int64_t row = 0; row < rows; row++)
        for (int32_t i = 0; i < n_sums; i++) total[i] += sums[row * n_sums + i];
}

static void cpu_launch(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *a, double *total)
{
    if (kernel->shared && kernel->partial)
        for (int32_t w = 0; w < a->workers; w++)
            memset((char *)a->partial + w * a->partial_stride * d->real_bytes, 0, (size_t)kernel->partial * d->real_bytes);
    if (kernel->tile && a->workers == 1) {
        run_tiles(kernel, a, 0);
    } else if (kernel->tile) {
#pragma omp parallel for num_threads(a->workers) schedule(static, 1)
        for (int32_t worker = 0; worker < a->workers; worker++) run_tiles(kernel, a, worker);
    }
    int64_t chunks = kernel->shared ? (kernel->shared_size + LRNDE_CHUNK - 1) / LRNDE_CHUNK : 0;
    if (d->threads == 1 || chunks < 2) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) run_chunk(kernel, a, chunk);
    } else {
#pragma omp parallel for num_threads(d->threads) schedule(static)
        for (int64_t chunk = 0; chunk < chunks; chunk++) run_chunk(kernel, a, chunk);
    }
    if (!total) return;
    memset(total, 0, (size_t)kernel->n_sums * sizeof *total);
    add_sums(a->sums, kernel->tile ? a->tiles : 0, kernel->n_sums, total);
    add_sums(a->sums + (int64_t)a->tiles * kernel->n_sums, chunks, kernel->n_sums, total);
}

static const char *cpu_sync(lrnde_device *d)
{
    (void)d;
    return NULL;
}

const lrnde_driver lrnde_driver_c;
const lrnde_driver lrnde_driver_c = {
    .name = "cpu",
    .preference = 0,
    .open = cpu_open,
    .close = cpu_close,
    .threads = cpu_threads,
    .workers = cpu_workers,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .put = cpu_copy,
    .get = cpu_copy,
    .copy = cpu_copy,
    .zero = cpu_zero,
    .add = cpu_add,
    .squares = cpu_squares,
    .normals = cpu_normals,
    .combine = cpu_combine,
    .launch = cpu_launch,
    .sync = cpu_sync,
};

static CBLAS_TRANSPOSE transpose(int t)
{
    return t ? CblasTrans : CblasNoTrans;
}

void lrnde_gemm_f32(int ta, int tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                    int ldc)
{
    cblas_sgemm(CblasRowMajor, transpose(ta), transpose(tb), m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

void lrnde_gemm_f64(int ta, int tb, int m, int n, int k, const double *a, int lda, const double *b, int ldb, double beta,
                    double *c, int ldc)
{
    cblas_dgemm(CblasRowMajor, transpose(ta), transpose(tb), m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

/* LAPACK's, in Fortran: a is (n, n) column by column, pivots count from 1. */
extern void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info);

/* Lanes that are moved together: what they have of an element is a line of the cache. */
enum { LANES = 8 };

void lrnde_lu_large_f64(int n, int lanes, const double *m, double *f, double *work)
{
    const size_t size = (size_t)n * (size_t)n;
    const int together = lanes < LANES ? lanes : LANES;
    int *pivots = (int *)(work + (size_t)together * size), info;
    for (int first = 0; first < lanes; first += together) {
        for (size_t e = 0; e < size; e++)
            for (int l = 0; l < together; l++) work[(size_t)l * size + e] = m[e * (size_t)lanes + (size_t)(first + l)];
        for (int l = 0; l < together; l++) {
            dgetrf_(&n, &n, work + (size_t)l * size, &n, pivots, &info);
            for (int k = 0; k < n; k++) f[(size + (size_t)k) * (size_t)lanes + (size_t)(first + l)] = pivots[k] - 1;
        }
        for (size_t e = 0; e < size; e++)
            for (int l = 0; l < together; l++) f[e * (size_t)lanes + (size_t)(first + l)] = work[(size_t)l * size + e];
    }
}

/* Blocks that are widened to double together: they fit the second-level cache, and converting costs 1/BLOCK of the product. */
enum { BLOCK = 128 };

/* rows x cols of op(X) from (row, col), dense in `to`. */
static void widen(int t, const float *x, int ld, int row, int col, int rows, int cols, double *to)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++)
            to[i * cols + j] = t ? x[(size_t)(col + j) * ld + row + i] : x[(size_t)(row + i) * ld + col + j];
}

static int least(int x, int y)
{
    return x < y ? x : y;
}

void lrnde_gemm_f32_d(int ta, int tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                      int ldc)
{
    static _Thread_local double wide_a[BLOCK * BLOCK], wide_b[BLOCK * BLOCK], wide_c[BLOCK * BLOCK];
    for (int j = 0; j < n; j += BLOCK)
        for (int i = 0; i < m; i += BLOCK) {
            int rows = least(BLOCK, m - i), cols = least(BLOCK, n - j);
            for (int p = 0; p < k; p += BLOCK) {
                int depth = least(BLOCK, k - p);
                widen(ta, a, lda, i, p, rows, depth, wide_a);
                widen(tb, b, ldb, p, j, depth, cols, wide_b);
                cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, cols, depth, 1, wide_a, depth, wide_b, cols, p > 0,
                            wide_c, cols);
            }
            for (int r = 0; r < rows; r++)
                for (int q = 0; q < cols; q++) {
                    float *to = &c[(size_t)(i + r) * ldc + j + q];
                    *to = (float)(wide_c[r * cols + q] + (beta != 0 ? (double)beta * *to : 0));
                }
        }
}
