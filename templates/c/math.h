/*
 * Elementwise functions and lane sums.  Branch-free, so that a loop over lanes becomes vector code; libm where speed does
 * not matter.  exp, tanh and sigmoid: at most 2 ulp (tests/test_math.c measures it).
 *
 *   e^x - 1 = 2^n (e^r - 1) + (2^n - 1),  x = n ln 2 + r,  |r| <= 1/2,  e^r - 1 by its Taylor series
 *   tanh x  = (e^2x - 1) / (e^2x + 1), sign apart: no cancellation near 0 and no second branch; there n is rounded
 *             up 0.2 later than to nearest, because 2 (e^r - 1) + 1 with r near -ln 2 / 2 would lose a bit
 */
#if defined(__GNUC__) || defined(__clang__)
#define LRNDE_LANES _Pragma("GCC ivdep")
#define LRNDE_UNUSED __attribute__((unused))
#else
#define LRNDE_LANES
#define LRNDE_UNUSED
#endif
#define LRNDE_HUGE ((real)__builtin_huge_val())

#ifdef __FP_FAST_FMAF
#define lrnde_fma_f32(x, y, z) __builtin_fmaf(x, y, z)
#else
#define lrnde_fma_f32(x, y, z) ((x) * (y) + (z))
#endif
#ifdef __FP_FAST_FMA
#define lrnde_fma_f64(x, y, z) __builtin_fma(x, y, z)
#else
#define lrnde_fma_f64(x, y, z) ((x) * (y) + (z))
#endif
#define lrnde_sqrt_f32(x)   __builtin_sqrtf(x)
#define lrnde_sqrt_f64(x)   __builtin_sqrt(x)
#define lrnde_abs_f32(x)    __builtin_fabsf(x)
#define lrnde_abs_f64(x)    __builtin_fabs(x)
#define lrnde_log_f32(x)    __builtin_logf(x)
#define lrnde_log_f64(x)    __builtin_log(x)
#define lrnde_log1p_f32(x)  __builtin_log1pf(x)
#define lrnde_log1p_f64(x)  __builtin_log1p(x)
#define lrnde_sin_f32(x)    __builtin_sinf(x)
#define lrnde_sin_f64(x)    __builtin_sin(x)
#define lrnde_cos_f32(x)    __builtin_cosf(x)
#define lrnde_cos_f64(x)    __builtin_cos(x)
#define lrnde_pow_f32(x, y) __builtin_powf(x, y)
#define lrnde_pow_f64(x, y) __builtin_pow(x, y)
#define lrnde_sign_f32(x)   ((real)(((x) > 0) - ((x) < 0)))
#define lrnde_sign_f64(x)   ((double)(((x) > 0) - ((x) < 0)))

/* e^r - 1 for |r| <= 1/2 */
LRNDE_UNUSED static inline float lrnde_expm1_core_f32(float r)
{
    float q = 1.f / 40320;
    q = lrnde_fma_f32(q, r, 1.f / 5040);
    q = lrnde_fma_f32(q, r, 1.f / 720);
    q = lrnde_fma_f32(q, r, 1.f / 120);
    q = lrnde_fma_f32(q, r, 1.f / 24);
    q = lrnde_fma_f32(q, r, 1.f / 6);
    q = lrnde_fma_f32(q, r, 0.5f);
    return lrnde_fma_f32(q * r, r, r);
}

LRNDE_UNUSED static inline double lrnde_expm1_core_f64(double r)
{
    double q = 1. / 1307674368000.;
    q = lrnde_fma_f64(q, r, 1. / 87178291200.);
    q = lrnde_fma_f64(q, r, 1. / 6227020800.);
    q = lrnde_fma_f64(q, r, 1. / 479001600);
    q = lrnde_fma_f64(q, r, 1. / 39916800);
    q = lrnde_fma_f64(q, r, 1. / 3628800);
    q = lrnde_fma_f64(q, r, 1. / 362880);
    q = lrnde_fma_f64(q, r, 1. / 40320);
    q = lrnde_fma_f64(q, r, 1. / 5040);
    q = lrnde_fma_f64(q, r, 1. / 720);
    q = lrnde_fma_f64(q, r, 1. / 120);
    q = lrnde_fma_f64(q, r, 1. / 24);
    q = lrnde_fma_f64(q, r, 1. / 6);
    q = lrnde_fma_f64(q, r, 0.5);
    return lrnde_fma_f64(q * r, r, r);
}

/* 2^n for whole n with -126 <= n <= 127, given n + 1.5 * 2^23: the exponent is in the low bits of the sum */
LRNDE_UNUSED static inline float lrnde_exp2_whole_f32(float shifted)
{
    union { float f; uint32_t i; } u = {shifted};
    u.i = (u.i + 127u) << 23;
    return u.f;
}

LRNDE_UNUSED static inline double lrnde_exp2_whole_f64(double shifted)
{
    union { double f; uint64_t i; } u = {shifted};
    u.i = (u.i + 1023u) << 52;
    return u.f;
}

LRNDE_UNUSED static inline float lrnde_exp_f32(float x)
{
    float c = x > 88.8f ? 88.8f : x;
    c = c < -87.3f ? -87.3f : c;
    const float shifted = lrnde_fma_f32(c, 0x1.715476p+0f, 0x1.8p+23f), n = shifted - 0x1.8p+23f;
    const float r = lrnde_fma_f32(n, -0x1.7f7d1cp-20f, lrnde_fma_f32(n, -0x1.62e4p-1f, c));
    const float half = lrnde_exp2_whole_f32(shifted - 1.0f); /* 2^(n-1), so that n = 128 stays finite */
    const float y = lrnde_fma_f32(lrnde_expm1_core_f32(r), half, half) * 2.0f;
    return x < -87.3f ? 0.0f : y;
}

LRNDE_UNUSED static inline double lrnde_exp_f64(double x)
{
    double c = x > 709.9 ? 709.9 : x;
    c = c < -708.3 ? -708.3 : c;
    const double shifted = lrnde_fma_f64(c, 0x1.71547652b82fep+0, 0x1.8p+52), n = shifted - 0x1.8p+52;
    const double r = lrnde_fma_f64(n, -0x1.abc9e3b39803fp-56, lrnde_fma_f64(n, -0x1.62e42fefa39efp-1, c));
    const double half = lrnde_exp2_whole_f64(shifted - 1.0);
    const double y = lrnde_fma_f64(lrnde_expm1_core_f64(r), half, half) * 2.0;
    return x < -708.3 ? 0.0 : y;
}

LRNDE_UNUSED static inline float lrnde_tanh_f32(float x)
{
    float y = 2.0f * __builtin_fabsf(x);
    y = y > 18.1f ? 18.1f : y;
    const float shifted = (lrnde_fma_f32(y, 0x1.715476p+0f, -0.2f) + 0x1.8p+23f), n = shifted - 0x1.8p+23f;
    const float r = lrnde_fma_f32(n, -0x1.7f7d1cp-20f, lrnde_fma_f32(n, -0x1.62e4p-1f, y));
    const float s = lrnde_exp2_whole_f32(shifted);
    const float t = lrnde_fma_f32(lrnde_expm1_core_f32(r), s, s - 1.0f);
    const float d = t + 2.0f, lost = t - (d - 2.0f); /* what rounding the denominator lost, over d ~ 1 / (1/2 - t/8) */
    const float q = (t > 2.0f ? 2.0f : t) / d, near = lrnde_fma_f32(q * lost, lrnde_fma_f32(t, 0.125f, -0.5f), q);
    return __builtin_copysignf(t > 2.0f ? 1.0f - q : near, x); /* 1 - 2/d rounds less where tanh > 1/2 */
}

LRNDE_UNUSED static inline double lrnde_tanh_f64(double x)
{
    double y = 2.0 * __builtin_fabs(x);
    y = y > 38.2 ? 38.2 : y;
    const double shifted = (lrnde_fma_f64(y, 0x1.71547652b82fep+0, -0.2) + 0x1.8p+52), n = shifted - 0x1.8p+52;
    const double r = lrnde_fma_f64(n, -0x1.abc9e3b39803fp-56, lrnde_fma_f64(n, -0x1.62e42fefa39efp-1, y));
    const double s = lrnde_exp2_whole_f64(shifted);
    const double t = lrnde_fma_f64(lrnde_expm1_core_f64(r), s, s - 1.0);
    const double d = t + 2.0, lost = t - (d - 2.0); /* what rounding the denominator lost, over d ~ 1 / (1/2 - t/8) */
    const double q = (t > 2.0 ? 2.0 : t) / d, near = lrnde_fma_f64(q * lost, lrnde_fma_f64(t, 0.125, -0.5), q);
    return __builtin_copysign(t > 2.0 ? 1.0 - q : near, x); /* 1 - 2/d rounds less where tanh > 1/2 */
}

LRNDE_UNUSED static inline float lrnde_sigmoid_f32(float x) { return 1.0f / (1.0f + lrnde_exp_f32(-x)); }
LRNDE_UNUSED static inline double lrnde_sigmoid_f64(double x) { return 1.0 / (1.0 + lrnde_exp_f64(-x)); }

/* Sums over the first n <= T lanes, in an order that depends on n alone: 16 strands, then pairwise. */
#define LRNDE_STRANDS (T < 16 ? T : 16)
#define LRNDE_DEFINE_LANE_SUMS(suffix, number)                                                                                  \
    LRNDE_UNUSED static inline number lrnde_strands_##suffix(number *s)                                                        \
    {                                                                                                                           \
        for (int half = LRNDE_STRANDS / 2; half > 0; half /= 2)                                                                \
            for (int j = 0; j < half; j++) s[j] += s[j + half];                                                                \
        return s[0];                                                                                                            \
    }                                                                                                                           \
    LRNDE_UNUSED static inline number lrnde_lane_sum_##suffix(const number *x, int n)                                          \
    {                                                                                                                           \
        number s[LRNDE_STRANDS] = {0};                                                                                          \
        int l = 0;                                                                                                              \
        n = n < T ? n : T;                                                                                                      \
        for (; l + LRNDE_STRANDS <= n; l += LRNDE_STRANDS)                                                                     \
            for (int j = 0; j < LRNDE_STRANDS; j++) s[j] += x[l + j];                                                          \
        for (int j = 0; l + j < n; j++) s[j] += x[l + j];                                                                      \
        return lrnde_strands_##suffix(s);                                                                                       \
    }                                                                                                                           \
    LRNDE_UNUSED static inline number lrnde_lane_dot_##suffix(const number *x, const number *y, int n)                         \
    {                                                                                                                           \
        number s[LRNDE_STRANDS] = {0};                                                                                          \
        int l = 0;                                                                                                              \
        n = n < T ? n : T;                                                                                                      \
        for (; l + LRNDE_STRANDS <= n; l += LRNDE_STRANDS)                                                                     \
            for (int j = 0; j < LRNDE_STRANDS; j++) s[j] = lrnde_fma_##suffix(x[l + j], y[l + j], s[j]);                       \
        for (int j = 0; l + j < n; j++) s[j] = lrnde_fma_##suffix(x[l + j], y[l + j], s[j]);                                   \
        return lrnde_strands_##suffix(s);                                                                                       \
    }
LRNDE_DEFINE_LANE_SUMS(f32, float)
LRNDE_DEFINE_LANE_SUMS(f64, double)
