/*
 * test_driver.c - the CPU driver alone: matrix products against plain loops, factors against their matrix, and sums that do
 * not depend on the workers.
 */
#include "driver.h"

#include "io/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

extern const lrnde_driver lrnde_driver_c;

enum { M = 150, N = 131, K = 270 };

static double number(int64_t i)
{
    return sin((double)i * 1.7 + 0.3);
}

/* All three products over op(A) (M, K) and op(B) (K, N), beta 0, 1 and -1/2; sizes beyond a block of the widened one. */
static void products(void **state)
{
    (void)state;
    static float a[M * K], b[K * N], c[M * N], d[M * N];
    static double wide_a[M * K], wide_b[K * N], wide_c[M * N];
    const float betas[] = {0, 1, -0.5f};
    for (int64_t i = 0; i < M * K; i++) wide_a[i] = a[i] = (float)number(i);
    for (int64_t i = 0; i < K * N; i++) wide_b[i] = b[i] = (float)number(i + 7);
    for (int form = 0; form < 12; form++) {
        int ta = form & 1, tb = form >> 1 & 1, lda = ta ? M : K, ldb = tb ? K : N;
        float beta = betas[form >> 2];
        for (int64_t i = 0; i < M * N; i++) wide_c[i] = c[i] = d[i] = (float)number(i + 3);
        lrnde_gemm_f32(ta, tb, M, N, K, a, lda, b, ldb, beta, c, N);
        lrnde_gemm_f32_d(ta, tb, M, N, K, a, lda, b, ldb, beta, d, N);
        lrnde_gemm_f64(ta, tb, M, N, K, wide_a, lda, wide_b, ldb, beta, wide_c, N);
        for (int i = 0; i < M; i++)
            for (int j = 0; j < N; j++) {
                double sum = beta * (double)(float)number(i * N + j + 3), size = fabs(sum);
                for (int k = 0; k < K; k++) {
                    double term = wide_a[ta ? k * M + i : i * K + k] * wide_b[tb ? j * K + k : k * N + j];
                    sum += term;
                    size += fabs(term);
                }
                assert_true(fabs(c[i * N + j] - sum) <= 64 * 0x1p-24 * size);
                assert_true(fabs(d[i * N + j] - sum) <= 0x1p-23 * fabs(sum) + 64 * 0x1p-53 * size);
                assert_true(fabs(wide_c[i * N + j] - sum) <= 64 * 0x1p-53 * size);
            }
    }
}

/* P M = L U for every lane, and no pivot smaller than what is below it. */
static void factors(void **state)
{
    (void)state;
    enum { ROWS = 37, MOST_LANES = 16, SIZE = ROWS * ROWS };
    static double m[SIZE * MOST_LANES], f[(SIZE + ROWS) * MOST_LANES], work[SIZE * 8 + ROWS], p[SIZE];
    for (int lanes = 1; lanes <= MOST_LANES; lanes *= 4) {
        for (int64_t i = 0; i < SIZE * lanes; i++) m[i] = number(i);
        lrnde_lu_large_f64(ROWS, lanes, m, f, work);
        for (int l = 0; l < lanes; l++) {
            for (int e = 0; e < SIZE; e++) p[e] = m[e * lanes + l];
            for (int k = 0; k < ROWS; k++) {
                const int pivot = (int)f[(SIZE + k) * lanes + l];
                assert_in_range(pivot, k, ROWS - 1);
                for (int j = 0; j < ROWS; j++) {
                    const double kept = p[j * ROWS + k];
                    p[j * ROWS + k] = p[j * ROWS + pivot], p[j * ROWS + pivot] = kept;
                }
            }
            for (int i = 0; i < ROWS; i++)
                for (int j = 0; j < ROWS; j++) {
                    double sum = -p[j * ROWS + i], size = fabs(sum);
                    for (int k = 0; k <= (i < j ? i : j); k++) {
                        const double lower = k == i ? 1 : f[(k * ROWS + i) * lanes + l];
                        assert_true(fabs(lower) <= 1);
                        sum += lower * f[(j * ROWS + k) * lanes + l], size += fabs(lower * f[(j * ROWS + k) * lanes + l]);
                    }
                    assert_true(fabs(sum) <= 64 * 0x1p-53 * size);
                }
        }
    }
}

static void sum_tile(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    ((double *)a->partial)[(size_t)worker * a->partial_stride] += tile1 - tile0;
    for (int32_t tile = tile0; tile < tile1; tile++) a->sums[tile] = number(tile);
}

static void sum_shared(const lrnde_args *a, int64_t e0, int64_t e1)
{
    double *sum = &a->sums[a->tiles + e0 / LRNDE_CHUNK], tiles = 0;
    for (int w = 0; w < a->workers; w++) tiles += ((double *)a->partial)[(size_t)w * a->partial_stride];
    *sum = tiles;
    for (int64_t e = e0; e < e1; e++) *sum += number(e);
}

/* Every tile and chunk runs once; the partial of a kernel with a shared phase starts from zero at every launch. */
static void sums(void **state)
{
    (void)state;
    enum { TILES = 53, ELEMENTS = 3 * LRNDE_CHUNK + 17 };
    const lrnde_kernel kernel = {.tile = sum_tile, .shared = sum_shared, .shared_size = ELEMENTS, .n_sums = 1, .partial = 1};
    const lrnde_model_desc desc = {.real_bytes = 8};
    double first = 0;
    for (int threads = 1; threads <= 4; threads++) {
        char why[80];
        lrnde_device *d = lrnde_driver_c.open(&desc, 0, threads, why, sizeof why);
        lrnde_args a = {.tiles = TILES, .workers = lrnde_driver_c.workers(d, TILES), .partial_stride = 8};
        a.sums = lrnde_driver_c.alloc(d, (TILES + 4) * sizeof(double));
        a.partial = lrnde_driver_c.alloc(d, (size_t)a.workers * 8 * sizeof(double));
        for (int launch = 0; launch < 2; launch++) {
            double total;
            lrnde_driver_c.launch(d, &kernel, &a, &total);
            if (threads == 1 && launch == 0) first = total;
            assert_true(total == first);
        }
        lrnde_driver_c.free(d, a.sums);
        lrnde_driver_c.free(d, a.partial);
        lrnde_driver_c.close(d);
    }
    double expected = 4 * TILES;
    for (int tile = 0; tile < TILES; tile++) expected += number(tile);
    for (int e = 0; e < ELEMENTS; e++) expected += number(e);
    assert_true(fabs(first - expected) < 1e-9);
}

/*
 * Entry (tile, feature, lane) has the pair of its words, whatever the threads and however many draws are made at once; lanes beyond
 * the batch that of the last sample.
 */
static void normals(void **state)
{
    (void)state;
    enum { TILES = 3, SIZE = 50, TILE = 70, BATCH = 150, N = TILES * SIZE * TILE };
    const lrnde_draw draw = {.key = 0x123456789abcdef0, .draw = 7, .batch = BATCH, .tile = TILE, .tiles = TILES, .size = SIZE};
    const lrnde_model_desc desc = {.real_bytes = 4};
    static double w[N], z[N], alone[N], next[N], next_alone[N];
    static float rounded[N];
    for (int threads = 1; threads <= 2; threads++) {
        char why[80];
        lrnde_device *d = lrnde_driver_c.open(&desc, 0, threads, why, sizeof why);
        lrnde_draw after = draw;
        after.draw++;
        lrnde_driver_c.normals(d, &draw, 2, (double[]){0.3, 7}, (void *[]){w, z, next, NULL}, 0);
        lrnde_driver_c.normals(d, &draw, 1, (double[]){0.3}, (void *[]){alone, NULL}, 0);
        lrnde_driver_c.normals(d, &after, 1, (double[]){7}, (void *[]){next_alone, NULL}, 0);
        lrnde_driver_c.normals(d, &draw, 1, (double[]){0.3}, (void *[]){rounded, NULL}, 1);
        assert_memory_equal(w, alone, sizeof w);
        assert_memory_equal(next, next_alone, sizeof next);
        for (int i = 0; i < N; i++) {
            const int sample = i / (SIZE * TILE) * TILE + i % TILE, feature = i / TILE % SIZE;
            const uint64_t counter = (uint64_t)(sample < BATCH ? sample : BATCH - 1) << 32 | (uint64_t)feature;
            const philox4x32_ctr_t r = lrnde__random(draw.key, LRNDE__STREAM_NOISE, draw.draw, counter);
            double first, second;
            lrnde__normal(lrnde__unit(r.v[0], r.v[1]), 1 - lrnde__unit(r.v[2], r.v[3]), &first, &second);
            assert_true(w[i] == 0.3 * first && z[i] == 0.3 * second && rounded[i] == (float)w[i]);
        }
        lrnde_driver_c.close(d);
    }
}

/* Sums of two terms in double; to floats they are rounded once; in the place of one of the terms. */
static void combinations(void **state)
{
    (void)state;
    enum { N = 5000 };
    static double x[N], y[N], to[N];
    static float rounded[N];
    for (int i = 0; i < N; i++) x[i] = number(i), y[i] = number(i + N);
    for (int32_t bytes = 4; bytes <= 8; bytes += 4) {
        const lrnde_model_desc desc = {.real_bytes = bytes};
        char why[80];
        lrnde_device *d = lrnde_driver_c.open(&desc, 0, 2, why, sizeof why);
        lrnde_driver_c.combine(d, to, 0, 0.3, x, -1, y, N);
        for (int i = 0; i < N; i++) assert_true(to[i] == 0.3 * x[i] - y[i]);
        lrnde_driver_c.combine(d, bytes == 4 ? (void *)rounded : to, 1, 0.3, x, -1, y, N);
        for (int i = 0; i < N; i++)
            assert_true((bytes == 4 ? rounded[i] : to[i]) == (bytes == 4 ? (float)(0.3 * x[i] - y[i]) : 0.3 * x[i] - y[i]));
        memcpy(to, x, sizeof to);
        lrnde_driver_c.combine(d, to, 0, 2, to, 1, y, N);
        for (int i = 0; i < N; i++) assert_true(to[i] == 2 * x[i] + y[i]);
        lrnde_driver_c.close(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products), cmocka_unit_test(factors), cmocka_unit_test(sums),
                                       cmocka_unit_test(normals), cmocka_unit_test(combinations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
