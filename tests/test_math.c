/*
 * test_math.c - the functions that generated C computes with (templates/c/math.h, products.h) against long double.
 *
 * Errors are in ulp of the exact result: at most 2, of tanh in f32 2.5; products of whole numbers are exact.  Results below
 * twice the smallest normal number may be 0.
 */
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

typedef double real;
enum { T = 32 };
#include "kernel.h" /* the matrix library's products, which products.h calls on some processors */
#include "../templates/c/math.h"
#include "../templates/c/products.h"

enum { MOST_ULP = 2 };

typedef struct function {
    const char *name;
    double most_f32; /* ulp; f64: MOST_ULP */
    float (*f32)(float);
    double (*f64)(double);
    long double (*exact)(long double);
} function;

static long double exact_sigmoid(long double x)
{
    return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static const function functions[] = {
    {"exp", MOST_ULP, lrnde_exp_f32, lrnde_exp_f64, expl},
    {"tanh", 2.5, lrnde_tanh_f32, lrnde_tanh_f64, tanhl},
    {"sigmoid", MOST_ULP, lrnde_sigmoid_f32, lrnde_sigmoid_f64, exact_sigmoid},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* Distance of `got` from `exact` in units in the last of `digits` bits; least: the smallest normal number. */
static double ulps(double got, long double exact, int digits, double least)
{
    int exponent;
    if (isnan(got)) return INFINITY;
    if (fabsl(exact) < 2 * (long double)least && got == 0) return 0;
    frexpl(fabsl(exact) < least ? least : exact, &exponent);
    return (double)fabsl((got - exact) / ldexpl(1, exponent - digits));
}

/* Every so-many-th float there is, of both signs, where the result is in range. */
static void single(void **state)
{
    (void)state;
    for (int i = 0; i < FUNCTIONS; i++) {
        double worst = 0;
        float where = 0;
        for (uint64_t bits = 0; bits < 1ull << 32; bits += 1009) {
            uint32_t word = (uint32_t)bits;
            float x;
            memcpy(&x, &word, sizeof x);
            long double exact = functions[i].exact(x);
            if (isnan(x) || exact > FLT_MAX) continue;
            double error = ulps(functions[i].f32(x), exact, FLT_MANT_DIG, FLT_MIN);
            if (error > worst) worst = error, where = x;
        }
        print_message("           %-8s f32: at most %.2f ulp, at %a\n", functions[i].name, worst, where);
        assert_true(worst <= functions[i].most_f32);
    }
}

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s;
}

/* Doubles spread evenly over their exponents from 2^-60 to 2^10, and evenly over (-40, 40), where functions bend. */
static void twice(void **state)
{
    (void)state;
    for (int i = 0; i < FUNCTIONS; i++) {
        double worst = 0, where = 0;
        uint64_t seed = 88172645463325252u;
        for (int n = 0; n < 2000000; n++) {
            double u = (double)(next_random(&seed) >> 11) * 0x1p-53, x = 80 * u - 40;
            if (n % 2) x = copysign(ldexp(1 + u, (int)(next_random(&seed) % 70) - 60), n % 4 == 1 ? 1 : -1);
            long double exact = functions[i].exact(x);
            if (exact > DBL_MAX) continue;
            double error = ulps(functions[i].f64(x), exact, DBL_MANT_DIG, DBL_MIN);
            if (error > worst) worst = error, where = x;
        }
        print_message("           %-8s f64: at most %.2f ulp, at %a\n", functions[i].name, worst, where);
        assert_true(worst <= MOST_ULP);
    }
}

/* The ends of the number line, of both precisions. */
static void specials(void **state)
{
    (void)state;
    for (int i = 0; i < FUNCTIONS; i++) {
        assert_true(isnan(functions[i].f32(NAN)) && isnan(functions[i].f64(NAN)));
        for (int sign = -1; sign <= 1; sign += 2) {
            double expected = (double)functions[i].exact(sign * (long double)INFINITY);
            assert_true(functions[i].f32(sign * INFINITY) == (float)expected);
            assert_true(functions[i].f64(sign * (double)INFINITY) == expected);
            assert_true(functions[i].f32(sign * FLT_MAX) == (float)expected);
            assert_true(functions[i].f64(sign * DBL_MAX) == expected);
        }
    }
    assert_true(lrnde_exp_f32(0) == 1 && lrnde_exp_f64(0) == 1);
    assert_true(isfinite(lrnde_exp_f32(88.72f)) && isinf(lrnde_exp_f32(88.73f)));
    assert_true(isfinite(lrnde_exp_f64(709.78)) && isinf(lrnde_exp_f64(709.79)));
    assert_true(lrnde_sigmoid_f32(0) == 0.5f && lrnde_sigmoid_f64(0) == 0.5);
    assert_true(signbit(lrnde_tanh_f32(-0.0f)) && signbit(lrnde_tanh_f64(-0.0)));
    assert_true(lrnde_tanh_f32(FLT_TRUE_MIN) == FLT_TRUE_MIN && lrnde_tanh_f64(-DBL_TRUE_MIN) == -DBL_TRUE_MIN);
}

/* Sums over lanes read the first n alone and lose none. */
static void lane_sums(void **state)
{
    (void)state;
    for (int n = 1; n <= T; n++) {
        double x[T], y[T];
        float xf[T], yf[T];
        for (int l = 0; l < T; l++) {
            x[l] = l < n ? l + 1 : NAN, y[l] = l < n ? 3 - l : NAN;
            xf[l] = (float)x[l], yf[l] = (float)y[l];
        }
        double sum = 0, dot = 0;
        for (int l = 0; l < n; l++) sum += x[l], dot += x[l] * y[l];
        assert_true(lrnde_lane_sum_f64(x, n) == sum && lrnde_lane_dot_f64(x, y, n) == dot);
        assert_true((double)lrnde_lane_sum_f32(xf, n) == sum && (double)lrnde_lane_dot_f32(xf, yf, n) == dot);
    }
}

/* Whole numbers, whose products and sums are exact: whatever the order of the terms, in every part of rows and of terms. */
static void products(void **state)
{
    (void)state;
    enum { ROWS = 61, TERMS = 70 }; /* some are large enough for the matrix library, where that is faster */
    static double w[ROWS * TERMS], x[TERMS * T], y[ROWS * T], start[ROWS];
    static float wf[ROWS * TERMS], xf[TERMS * T], yf[ROWS * T], startf[ROWS];
    for (int e = 0; e < ROWS * TERMS; e++) wf[e] = (float)(w[e] = e * 7 % 19 - 9);
    for (int e = 0; e < TERMS * T; e++) xf[e] = (float)(x[e] = e * 5 % 23 - 11);
    for (int i = 0; i < ROWS; i++) startf[i] = (float)(start[i] = i % 17 - 8);
    for (int m = 1; m <= ROWS; m += m < 31 ? 1 : 15)
        for (int n = 1; n <= TERMS; n++)
            for (int how = 0; how < 4; how++) {
                int from = how % 2, si = how / 2 ? 1 : n, sj = how / 2 ? m : 1;
                for (int e = 0; e < m * T; e++) yf[e] = (float)(y[e] = NAN);
                lrnde_product_f64(m, n, w, si, sj, x, from ? start : NULL, y);
                lrnde_product_f32(m, n, wf, si, sj, xf, from ? startf : NULL, yf);
                for (int e = 0; e < m * T; e++) {
                    double sum = from ? start[e / T] : 0;
                    for (int j = 0; j < n; j++) sum += w[e / T * si + j * sj] * x[j * T + e % T];
                    assert_true(y[e] == sum && (double)yf[e] == sum);
                }
            }
}

/* The same of sums of outer products: lanes that do not count are no numbers, and nothing behind the sum is written. */
static void outer_products(void **state)
{
    (void)state;
    enum { MOST = 11, ROWS = 61, FEATURES = 70, BEHIND = 64 };
    static double x[MOST][FEATURES * T], y[MOST][ROWS * T], w[ROWS * FEATURES + BEHIND];
    static float xf[MOST][FEATURES * T], yf[MOST][ROWS * T], wf[ROWS * FEATURES + BEHIND];
    const double *xs[MOST], *ys[MOST];
    const float *xfs[MOST], *yfs[MOST];
    for (int p = 0; p < MOST; p++) xs[p] = x[p], ys[p] = y[p], xfs[p] = xf[p], yfs[p] = yf[p];
    for (int count = 1; count <= MOST; count += 5)
        for (int lanes = 1; lanes <= T; lanes += lanes < 3 || lanes > 29 ? 1 : 9) {
            for (int p = 0; p < MOST; p++) {
                for (int e = 0; e < FEATURES * T; e++) xf[p][e] = (float)(x[p][e] = e % T < lanes ? (e + p) * 5 % 23 - 11 : NAN);
                for (int e = 0; e < ROWS * T; e++) yf[p][e] = (float)(y[p][e] = e % T < lanes ? (e + p) * 7 % 19 - 9 : NAN);
            }
            for (int m = 1; m <= ROWS; m += m < 14 ? 1 : 47)
                for (int n = 1; n <= FEATURES; n += n < 34 ? 1 : 9) {
                    for (int e = 0; e < m * n + BEHIND; e++) wf[e] = (float)(w[e] = e % 17);
                    lrnde_outers_f64(m, n, count, ys, xs, lanes, w);
                    lrnde_outers_f32(m, n, count, yfs, xfs, lanes, wf);
                    for (int e = 0; e < m * n + BEHIND; e++) {
                        double sum = e % 17;
                        for (int p = 0; e < m * n && p < count; p++)
                            for (int l = 0; l < lanes; l++) sum += y[p][e / n * T + l] * x[p][e % n * T + l];
                        assert_true(w[e] == sum && (double)wf[e] == sum);
                    }
                }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single),    cmocka_unit_test(twice),    cmocka_unit_test(specials),
        cmocka_unit_test(lane_sums), cmocka_unit_test(products), cmocka_unit_test(outer_products),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
