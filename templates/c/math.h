/*
 * Elementwise functions, lane sums and systems of equations.  Branch-free, so that a loop over lanes becomes vector
 * code; libm where speed does not matter.  exp, tanh and sigmoid: at most 2 ulp, tanh in f32 at most 2.5 (tests/test_math.c
 * measures it).
 *
 *   e^x - 1 = 2^n (e^r - 1) + (2^n - 1),  x = n ln 2 + r,  |r| <= ln 2 / 2,  e^r - 1 by a polynomial
 *   tanh |x| in f64 = (1 - E) / (1 + E),  E = e^-2|x| from 2^n and e^r - 1: no cancellation near 0, one division, and no select,
 *             of whose sides a compiler would divide on both
 *   tanh |x| in f32 = ((1 - s) + (1 + s) t) / ((1 + s) + (1 - s) t),  s = 2^-n,  t = tanh(|x| - n ln 2 / 2) by an odd polynomial:
 *             the tanh of a sum; a fifth fewer instructions, and it is instructions, not the division, that it waits for
 *   sigmoid x = 1 / (1 + E) or, below 0, E / (1 + E),  E = e^-|x|; what rounding 1 + E lost is put back
 */
#if defined(__GNUC__) && !defined(__clang__)
#define LRNDE_LANES   _Pragma("GCC ivdep")
#define LRNDE_NOCLONE , noclone
#else
#define LRNDE_LANES
#define LRNDE_NOCLONE
#endif
#ifdef __GNUC__
#define LRNDE_UNUSED __attribute__((unused))
#define LRNDE_INLINE __attribute__((always_inline, unused)) inline
/* Compiled once, not at every call or for every shape: a call is for a whole row or more. */
#define LRNDE_ONCE __attribute__((unused, noinline LRNDE_NOCLONE))
#else
#define LRNDE_UNUSED
#define LRNDE_INLINE inline
#define LRNDE_ONCE
#endif
#define LRNDE_HUGE ((real)__builtin_huge_val())

#ifdef __FP_FAST_FMAF
#define lrnde_fma_f32(x, y, z) __builtin_fmaf(x, y, z)
enum { LRNDE_FMA_f32 = 1 };
#else
#define lrnde_fma_f32(x, y, z) ((x) * (y) + (z))
enum { LRNDE_FMA_f32 = 0 };
#endif
#ifdef __FP_FAST_FMA
#define lrnde_fma_f64(x, y, z) __builtin_fma(x, y, z)
enum { LRNDE_FMA_f64 = 1 };
#else
#define lrnde_fma_f64(x, y, z) ((x) * (y) + (z))
enum { LRNDE_FMA_f64 = 0 };
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

/* e^r - 1 for |r| <= ln 2 / 2; f32: minimax, relative error 1.4e-8; f64: Taylor */
LRNDE_UNUSED static inline float lrnde_expm1_core_f32(float r)
{
    float q = 0x1.6c5568p-10f;
    q = lrnde_fma_f32(q, r, 0x1.122364p-7f);
    q = lrnde_fma_f32(q, r, 0x1.5555bap-5f);
    q = lrnde_fma_f32(q, r, 0x1.5554b8p-3f);
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

/* 1.5 * 2^23 + 127 and 1.5 * 2^52 + 1023: added to a number, it rounds that to a whole one, n, and leaves n plus the bias of an
 * exponent in the low bits. */
#define LRNDE_WHOLE_f32 0x1.8000fep+23f
#define LRNDE_WHOLE_f64 0x1.80000000003ffp+52

/* 2^n for whole n with -126 <= n <= 127, given n + LRNDE_WHOLE */
LRNDE_UNUSED static inline float lrnde_exp2_whole_f32(float shifted)
{
    union { float f; uint32_t i; } u = {shifted};
    u.i <<= 23;
    return u.f;
}

LRNDE_UNUSED static inline double lrnde_exp2_whole_f64(double shifted)
{
    union { double f; uint64_t i; } u = {shifted};
    u.i <<= 52;
    return u.f;
}

LRNDE_UNUSED static inline float lrnde_exp_f32(float x)
{
    float c = x > 88.8f ? 88.8f : x;
    c = c < -86.98f ? -86.98f : c;
    const float shifted = lrnde_fma_f32(c, 0x1.715476p+0f, LRNDE_WHOLE_f32), n = shifted - LRNDE_WHOLE_f32;
    const float r = lrnde_fma_f32(n, -0x1.7f7d1cp-20f, lrnde_fma_f32(n, -0x1.62e4p-1f, c));
    const float half = lrnde_exp2_whole_f32(shifted - 1.0f); /* 2^(n-1), so that n = 128 stays finite; hence 0 below 2^-125 */
    const float y = lrnde_fma_f32(lrnde_expm1_core_f32(r), half, half) * 2.0f;
    return x < -86.98f ? 0.0f : y;
}

LRNDE_UNUSED static inline double lrnde_exp_f64(double x)
{
    double c = x > 709.9 ? 709.9 : x;
    c = c < -708.0 ? -708.0 : c;
    const double shifted = lrnde_fma_f64(c, 0x1.71547652b82fep+0, LRNDE_WHOLE_f64), n = shifted - LRNDE_WHOLE_f64;
    const double r = lrnde_fma_f64(n, -0x1.a39ef35793c76p-33, lrnde_fma_f64(n, -0x1.62e42feep-1, c));
    const double half = lrnde_exp2_whole_f64(shifted - 1.0);
    const double y = lrnde_fma_f64(lrnde_expm1_core_f64(r), half, half) * 2.0;
    return x < -708.0 ? 0.0 : y;
}

LRNDE_UNUSED static inline float lrnde_tanh_f32(float x)
{
    float y = __builtin_fabsf(x);
    y = y > 9.05f ? 9.05f : y;
    const float shifted = lrnde_fma_f32(y, -0x1.715476p+1f, LRNDE_WHOLE_f32), n = shifted - LRNDE_WHOLE_f32; /* <= 0 */
    const float r = lrnde_fma_f32(n, 0x1.62e43p-2f, y); /* ln 2 / 2 to 1e-9 is enough: where n is large, 2^n is small */
    const float s = lrnde_exp2_whole_f32(shifted), z = r * r;
    float q = -0x1.aff014p-5f; /* minimax, relative error of t 1.6e-10 */
    q = lrnde_fma_f32(q, z, 0x1.1105cap-3f);
    q = lrnde_fma_f32(q, z, -0x1.55554ep-2f);
    const float t = lrnde_fma_f32(r * z, q, r), less = 1.0f - s, more = 1.0f + s;
    return __builtin_copysignf(lrnde_fma_f32(more, t, less) / lrnde_fma_f32(less, t, more), x);
}

LRNDE_UNUSED static inline double lrnde_tanh_f64(double x)
{
    double y = __builtin_fabs(x) + __builtin_fabs(x);
    y = y > 38.2 ? 38.2 : y;
    const double shifted = lrnde_fma_f64(y, -0x1.71547652b82fep+0, LRNDE_WHOLE_f64), n = shifted - LRNDE_WHOLE_f64;
    const double r = lrnde_fma_f64(n, -0x1.a39ef35793c76p-33, lrnde_fma_f64(n, -0x1.62e42feep-1, -y));
    const double s = lrnde_exp2_whole_f64(shifted), e = lrnde_expm1_core_f64(r);
    const double t = lrnde_fma_f64(e, s, s - 1.0), d = lrnde_fma_f64(e, s, s + 1.0), q = t / d;
    const double lost_t = lrnde_fma_f64(e, s, s - 1.0 - t), lost_d = lrnde_fma_f64(e, s, s + 1.0 - d);
    const double rest = lrnde_fma_f64(-q, d, t) + lrnde_fma_f64(-q, lost_d, lost_t); /* over d ~ 1 / (3/2 - d/2) */
    return __builtin_copysign(lrnde_fma_f64(rest, lrnde_fma_f64(d, -0.5, 1.5), q), x);
}

/* 1 / (1 + e^-x), the denominator rounded once; 0 where e^x is */
LRNDE_UNUSED static inline float lrnde_sigmoid_f32(float x)
{
    float y = -__builtin_fabsf(x);
    y = y < -87.3f ? -87.3f : y;
    const float shifted = lrnde_fma_f32(y, 0x1.715476p+0f, LRNDE_WHOLE_f32), n = shifted - LRNDE_WHOLE_f32;
    const float r = lrnde_fma_f32(n, -0x1.7f7d1cp-20f, lrnde_fma_f32(n, -0x1.62e4p-1f, y));
    const float s = lrnde_exp2_whole_f32(shifted), e = lrnde_expm1_core_f32(r);
    const float d = lrnde_fma_f32(e, s, s + 1.0f), lost = lrnde_fma_f32(e, s, s + 1.0f - d);
    const float q = (x < 0 ? lrnde_fma_f32(e, s, s) : 1.0f) / d;
    return x < -87.3f ? 0.0f : lrnde_fma_f32(-q * lost, lrnde_fma_f32(d, -0.5f, 1.5f), q); /* 1 / d ~ 3/2 - d/2 */
}

LRNDE_UNUSED static inline double lrnde_sigmoid_f64(double x)
{
    double y = -__builtin_fabs(x);
    y = y < -708.3 ? -708.3 : y;
    const double shifted = lrnde_fma_f64(y, 0x1.71547652b82fep+0, LRNDE_WHOLE_f64), n = shifted - LRNDE_WHOLE_f64;
    const double r = lrnde_fma_f64(n, -0x1.a39ef35793c76p-33, lrnde_fma_f64(n, -0x1.62e42feep-1, y));
    const double s = lrnde_exp2_whole_f64(shifted), e = lrnde_expm1_core_f64(r);
    const double d = lrnde_fma_f64(e, s, s + 1.0), lost = lrnde_fma_f64(e, s, s + 1.0 - d);
    const double q = (x < 0 ? lrnde_fma_f64(e, s, s) : 1.0) / d;
    return x < -708.3 ? 0.0 : lrnde_fma_f64(-q * lost, lrnde_fma_f64(d, -0.5, 1.5), q);
}

/* Sums over the first n <= T lanes, in an order that depends on n alone: 16 strands, then pairwise. */
#define LRNDE_STRANDS (T < 16 ? T : 16)
#define LRNDE_DEFINE_LANE_SUMS(suffix, number)                                                                                  \
    LRNDE_UNUSED static inline number lrnde_strands_##suffix(number *s)                                                        \
    {                                                                                                                           \
        for (int half = LRNDE_STRANDS / 2; half > 0; half /= 2)                                                                \
            for (int j = 0; j < half; j++) s[j] += s[j + half];                                                                \
        return s[0];                                                                                                            \
    }                                                                                                                           \
    LRNDE_ONCE static number lrnde_lane_sum_##suffix(const number *x, int n)                                                    \
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
    }                                                                                                                           \
    /* w (m, n) += y x^T, summed over the first lanes; y (m, T), x (n, T) */                                                   \
    LRNDE_ONCE static void lrnde_outer_##suffix(int m, int n, const number *restrict y, const number *restrict x, int lanes,   \
                                                number *restrict w)                                                             \
    {                                                                                                                           \
        for (int i = 0; i < m; i++)                                                                                             \
            for (int j = 0; j < n; j++) w[i * n + j] += lrnde_lane_dot_##suffix(y + i * T, x + j * T, lanes);                  \
    }
LRNDE_DEFINE_LANE_SUMS(f32, float)
LRNDE_DEFINE_LANE_SUMS(f64, double)

/*
 * P M = L U for every lane: m (n*n, T) column by column, f (n*n + n, T) the factors, then the rows exchanged.  Partial
 * pivoting: the largest of what is left of a column, the first of equals.  A singular matrix gives infinities.
 */
#define LRNDE_DEFINE_LU(suffix, number)                                                                                         \
    LRNDE_UNUSED static void lrnde_lu_##suffix(int n, const number *restrict m, number *restrict f)                             \
    {                                                                                                                           \
        for (int i = 0; i < n * n * T; i++) f[i] = m[i];                                                                        \
        for (int k = 0; k < n; k++) {                                                                                           \
            number *column = f + k * n * T, *pivot = f + (n * n + k) * T, largest[T];                                           \
            for (int l = 0; l < T; l++) pivot[l] = (number)k, largest[l] = lrnde_abs_##suffix(column[k * T + l]);               \
            for (int i = k + 1; i < n; i++)                                                                                     \
                for (int l = 0; l < T; l++) {                                                                                   \
                    const number x = lrnde_abs_##suffix(column[i * T + l]);                                                     \
                    pivot[l] = x > largest[l] ? (number)i : pivot[l];                                                           \
                    largest[l] = x > largest[l] ? x : largest[l];                                                               \
                }                                                                                                               \
            for (int l = 0; l < T; l++)                                                                                         \
                for (int j = 0; j < n && pivot[l] != k; j++) {                                                                  \
                    number *x = f + (j * n + k) * T + l, *y = f + (j * n + (int)pivot[l]) * T + l, kept = *x;                   \
                    *x = *y, *y = kept;                                                                                         \
                }                                                                                                               \
            for (int i = k + 1; i < n; i++)                                                                                     \
                for (int l = 0; l < T; l++) column[i * T + l] /= column[k * T + l];                                             \
            for (int j = k + 1; j < n; j++)                                                                                     \
                for (int i = k + 1; i < n; i++)                                                                                 \
                    for (int l = 0; l < T; l++)                                                                                 \
                        f[(j * n + i) * T + l] = lrnde_fma_##suffix(-column[i * T + l], f[(j * n + k) * T + l],                 \
                                                                    f[(j * n + i) * T + l]);                                    \
        }                                                                                                                       \
    }                                                                                                                           \
    /* x (n, T) = M^-1 b */                                                                                                     \
    LRNDE_UNUSED static void lrnde_lu_solve_##suffix(int n, const number *restrict f, const number *restrict b,                 \
                                                     number *restrict x)                                                        \
    {                                                                                                                           \
        for (int i = 0; i < n * T; i++) x[i] = b[i];                                                                            \
        for (int k = 0; k < n; k++)                                                                                             \
            for (int l = 0; l < T; l++) {                                                                                       \
                const int pivot = (int)f[(n * n + k) * T + l];                                                                  \
                const number kept = x[k * T + l];                                                                               \
                if (pivot != k) x[k * T + l] = x[pivot * T + l], x[pivot * T + l] = kept;                                       \
            }                                                                                                                   \
        for (int k = 0; k < n; k++)                                                                                             \
            for (int i = k + 1; i < n; i++)                                                                                     \
                for (int l = 0; l < T; l++)                                                                                     \
                    x[i * T + l] = lrnde_fma_##suffix(-f[(k * n + i) * T + l], x[k * T + l], x[i * T + l]);                     \
        for (int k = n - 1; k >= 0; k--) {                                                                                      \
            for (int l = 0; l < T; l++) x[k * T + l] /= f[(k * n + k) * T + l];                                                 \
            for (int i = 0; i < k; i++)                                                                                         \
                for (int l = 0; l < T; l++)                                                                                     \
                    x[i * T + l] = lrnde_fma_##suffix(-f[(k * n + i) * T + l], x[k * T + l], x[i * T + l]);                     \
        }                                                                                                                       \
    }                                                                                                                           \
    /* x (n, T) = M^-T b */                                                                                                     \
    LRNDE_UNUSED static void lrnde_lu_solve_t_##suffix(int n, const number *restrict f, const number *restrict b,               \
                                                       number *restrict x)                                                      \
    {                                                                                                                           \
        for (int i = 0; i < n * T; i++) x[i] = b[i];                                                                            \
        for (int k = 0; k < n; k++) {                                                                                           \
            for (int i = 0; i < k; i++)                                                                                         \
                for (int l = 0; l < T; l++)                                                                                     \
                    x[k * T + l] = lrnde_fma_##suffix(-f[(k * n + i) * T + l], x[i * T + l], x[k * T + l]);                     \
            for (int l = 0; l < T; l++) x[k * T + l] /= f[(k * n + k) * T + l];                                                 \
        }                                                                                                                       \
        for (int k = n - 1; k >= 0; k--) {                                                                                      \
            for (int i = k + 1; i < n; i++)                                                                                     \
                for (int l = 0; l < T; l++)                                                                                     \
                    x[k * T + l] = lrnde_fma_##suffix(-f[(k * n + i) * T + l], x[i * T + l], x[k * T + l]);                     \
        }                                                                                                                       \
        for (int k = n - 1; k >= 0; k--)                                                                                        \
            for (int l = 0; l < T; l++) {                                                                                       \
                const int pivot = (int)f[(n * n + k) * T + l];                                                                  \
                const number kept = x[k * T + l];                                                                               \
                if (pivot != k) x[k * T + l] = x[pivot * T + l], x[pivot * T + l] = kept;                                       \
            }                                                                                                                   \
    }
LRNDE_DEFINE_LU(f32, float)
LRNDE_DEFINE_LU(f64, double)
