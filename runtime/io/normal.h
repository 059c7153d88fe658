/*
 * normal.h - standard normal numbers, two of two uniform ones (Box & Muller, Ann. Math. Stat. 29(2), 1958):
 *
 *   sqrt(-2 ln v) cos(2 pi u),  sqrt(-2 ln v) sin(2 pi u),   u in [0, 1), v in (0, 1]
 *
 * Without a branch or a call, so that a loop over pairs becomes vector code; the same bits on every CPU.
 */
#ifndef LRNDE_IO_NORMAL_H
#define LRNDE_IO_NORMAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln v = n ln 2 + 2 artanh s,  v = 2^n m,  sqrt(1/2) <= m < sqrt(2),  s = (m - 1) / (m + 1), |s| < 0.172; artanh by its series. */
static inline double lrnde__ln(double v)
{
    const int64_t root_half = 0x3fe6a09e667f3bcd, unit = 0x0010000000000000; /* as doubles' bits: sqrt(1/2); 1 of the exponent */
    int64_t bits;
    double m;
    memcpy(&bits, &v, sizeof bits);
    int32_t n = (int32_t)((bits - root_half) >> 52);
    bits -= n * unit;
    memcpy(&m, &bits, sizeof m);
    double s = (m - 1) / (m + 1), q = s * s, p = 0;
    p = (p + 1. / 23) * q, p = (p + 1. / 21) * q, p = (p + 1. / 19) * q, p = (p + 1. / 17) * q;
    p = (p + 1. / 15) * q, p = (p + 1. / 13) * q, p = (p + 1. / 11) * q, p = (p + 1. / 9) * q;
    p = (p + 1. / 7) * q, p = (p + 1. / 5) * q, p = (p + 1. / 3) * q;
    return n * 0x1.62e42fefa39efp-1 + (2 * s + 2 * s * p);
}

/* cos and sin of 2 pi u = k pi/2 + x, |x| <= pi/4, by their series. */
static inline void lrnde__circle(double u, double *cosine, double *sine)
{
    int32_t k = (int32_t)(4 * u + 0.5);
    double x = 0x1.921fb54442d18p+2 * (u - 0.25 * k), q = x * x, c = 0, s = 0;
    c = (c + 1. / 20922789888000) * q, s = (s + 1. / 355687428096000) * q;
    c = (c - 1. / 87178291200) * q, s = (s - 1. / 1307674368000) * q;
    c = (c + 1. / 479001600) * q, s = (s + 1. / 6227020800) * q;
    c = (c - 1. / 3628800) * q, s = (s - 1. / 39916800) * q;
    c = (c + 1. / 40320) * q, s = (s + 1. / 362880) * q;
    c = (c - 1. / 720) * q, s = (s - 1. / 5040) * q;
    c = (c + 1. / 24) * q, s = (s + 1. / 120) * q;
    c = (c - 1. / 2) * q + 1, s = (s - 1. / 6) * q * x + x;
    double across = k & 1 ? s : c, up = k & 1 ? c : s;
    *cosine = (k + 1) & 2 ? -across : across;
    *sine = k & 2 ? -up : up;
}

/* A pair of independent standard normal numbers. */
static inline void lrnde__normal(double u, double v, double *w, double *z)
{
    double radius = sqrt(-2 * lrnde__ln(v)), cosine, sine;
    lrnde__circle(u, &cosine, &sine);
    *w = radius * cosine;
    *z = radius * sine;
}

#endif
