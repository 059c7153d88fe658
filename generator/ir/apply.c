/*
 * apply.c - one MAP op on numbers: over double, over double complex, and the size of the terms behind the result.
 *
 * TERMS  A number x that was computed is known to about eps * terms(x), terms(x) >= |x| being the sum of the |terms| that
 * were added up to give it.  Another order of evaluation, fma, or another libm may move the result by so much and no more,
 * and |difference| <= c eps terms is the agreement to ask for, which holds for cancelled sums too.  The rule is the
 * first-order propagation of that uncertainty:
 *
 *     terms of an input or constant   |x|
 *     x + y, x - y, any sum           terms(x) + terms(y)
 *     x * y                           |x| terms(y) + terms(x) |y| + e terms(x) terms(y)      (two cancelled factors: their
 *                                     product is all error; e is the eps of f32, the coarsest arithmetic compared)
 *     f(x), any other                 sum of |df/dx_i| terms(x_i), and |f| for its own rounding
 *     max, min                        the larger of both: either may have won
 *     moved, selected, looked up      those of the element taken
 *
 * What jumps (sign, comparisons, argmax) has only itself: agreement cannot be asked for within rounding of the jump.
 * In a complex evaluation the terms are those of the real parts.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "ir/build.h"

/* Small integer powers are products, the same ones that folding makes of pow. */
static double complex power(double complex x, int n)
{
    if (n == 0) return 1;
    double complex half = power(x, n / 2);
    return n % 2 ? half * half * x : half * half;
}

static bool is_small_integer(double y)
{
    return fabs(y) <= 64 && y == trunc(y);
}

static double real_pow(double x, double y)
{
    if (!is_small_integer(y)) return pow(x, y);
    double p = creal(power(x, abs((int)y)));
    return y < 0 ? 1 / p : p;
}

static double complex complex_pow(double complex x, double complex y)
{
    if (cimag(y) != 0 || !is_small_integer(creal(y))) return cexp(y * clog(x));
    double complex p = power(x, abs((int)creal(y)));
    return creal(y) < 0 ? 1 / p : p;
}

static double sign(double x)
{
    return (x > 0) - (x < 0);
}

/* Without overflow on either side. */
static double real_sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double complex complex_sigmoid(double complex z)
{
    return creal(z) >= 0 ? 1 / (1 + cexp(-z)) : cexp(z) / (1 + cexp(z));
}

/* clog(1 + z) would lose the digits of a small z. */
static double complex complex_log1p(double complex z)
{
    double x = creal(z), y = cimag(z);
    return 0.5 * log1p(x * (2 + x) + y * y) + I * atan2(y, 1 + x);
}

double ir_apply(ir_op op, const double *x)
{
    switch (op) {
    case IR_add: return x[0] + x[1];
    case IR_sub: return x[0] - x[1];
    case IR_mul: return x[0] * x[1];
    case IR_div: return x[0] / x[1];
    case IR_neg: return -x[0];
    case IR_fma: return fma(x[0], x[1], x[2]);
    case IR_sqrt: return sqrt(x[0]);
    case IR_exp: return exp(x[0]);
    case IR_log: return log(x[0]);
    case IR_log1p: return log1p(x[0]);
    case IR_sin: return sin(x[0]);
    case IR_cos: return cos(x[0]);
    case IR_tanh: return tanh(x[0]);
    case IR_sigmoid: return real_sigmoid(x[0]);
    case IR_pow: return real_pow(x[0], x[1]);
    case IR_abs: return fabs(x[0]);
    case IR_sign: return sign(x[0]);
    case IR_max: return x[0] >= x[1] ? x[0] : x[1];
    case IR_min: return x[0] <= x[1] ? x[0] : x[1];
    case IR_lt: return x[0] < x[1];
    case IR_le: return x[0] <= x[1];
    case IR_eq: return x[0] == x[1];
    case IR_select: return x[0] != 0 ? x[1] : x[2];
    default: return x[0]; /* stop */
    }
}

double complex ir_apply_complex(ir_op op, const double complex *z)
{
    switch (op) {
    case IR_add: return z[0] + z[1];
    case IR_sub: return z[0] - z[1];
    case IR_mul: return z[0] * z[1];
    case IR_div: return z[0] / z[1];
    case IR_neg: return -z[0];
    case IR_fma: return z[0] * z[1] + z[2];
    case IR_sqrt: return csqrt(z[0]);
    case IR_exp: return cexp(z[0]);
    case IR_log: return clog(z[0]);
    case IR_log1p: return complex_log1p(z[0]);
    case IR_sin: return csin(z[0]);
    case IR_cos: return ccos(z[0]);
    case IR_tanh: return ctanh(z[0]);
    case IR_sigmoid: return complex_sigmoid(z[0]);
    case IR_pow: return complex_pow(z[0], z[1]);
    case IR_abs: return sign(creal(z[0])) * z[0];
    case IR_sign: return sign(creal(z[0]));
    case IR_max: return creal(z[0]) >= creal(z[1]) ? z[0] : z[1];
    case IR_min: return creal(z[0]) <= creal(z[1]) ? z[0] : z[1];
    case IR_lt: return creal(z[0]) < creal(z[1]);
    case IR_le: return creal(z[0]) <= creal(z[1]);
    case IR_eq: return creal(z[0]) == creal(z[1]);
    case IR_select: return creal(z[0]) != 0 ? z[1] : z[2];
    default: return creal(z[0]); /* stop */
    }
}

/* An exact argument adds nothing, even where the slope is infinite. */
static double moved(double slope, double terms)
{
    return terms > 0 ? fabs(slope) * terms : 0;
}

double ir_product_terms(double x, double x_terms, double y, double y_terms)
{
    return fabs(x) * y_terms + x_terms * fabs(y) + FLT_EPSILON * x_terms * y_terms;
}

double ir_apply_terms(ir_op op, const double *x, const double *terms, double f)
{
    const double own = fabs(f), t = terms[0];
    switch (op) {
    case IR_add:
    case IR_sub: return t + terms[1];
    case IR_mul: return ir_product_terms(x[0], t, x[1], terms[1]);
    case IR_fma: return ir_product_terms(x[0], t, x[1], terms[1]) + terms[2];
    case IR_div: return own + moved(1 / x[1], t) + moved(f / x[1], terms[1]);
    case IR_sqrt: return own + moved(0.5 / f, t);
    case IR_exp: return own + moved(f, t);
    case IR_log: return own + moved(1 / x[0], t);
    case IR_log1p: return own + moved(1 / (1 + x[0]), t);
    case IR_sin: return own + moved(cos(x[0]), t);
    case IR_cos: return own + moved(sin(x[0]), t);
    case IR_tanh: return own + moved(1 - f * f, t);
    case IR_sigmoid: return own + moved(f * (1 - f), t);
    case IR_pow: return own + moved(x[1] * real_pow(x[0], x[1] - 1), t) + (x[0] > 0 ? moved(f * log(x[0]), terms[1]) : 0);
    case IR_max:
    case IR_min: return fmax(t, terms[1]);
    case IR_select: return x[0] != 0 ? terms[1] : terms[2];
    case IR_sign:
    case IR_lt:
    case IR_le:
    case IR_eq: return own;
    default: return t; /* neg, abs, stop */
    }
}
