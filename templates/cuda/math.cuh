/*
 * What the kernels below are written in.  CUDA's own functions are at most 2 ulp from the exact ones; sums over lanes and
 * members have a fixed order, so that the same numbers give the same bits.
 */
#define LRNDE_HUGE ((real)__int_as_float(0x7f800000))

/* Of what kernels have in common: a function compiled once, of pointers that may be any. */
#define LRNDE_ONCE __device__ __noinline__
#define restrict

#define lrnde_fma_f32(x, y, z) fmaf(x, y, z)
#define lrnde_fma_f64(x, y, z) fma(x, y, z)
#define lrnde_sqrt_f32(x)      sqrtf(x)
#define lrnde_sqrt_f64(x)      sqrt(x)
#define lrnde_abs_f32(x)       fabsf(x)
#define lrnde_abs_f64(x)       fabs(x)
#define lrnde_exp_f32(x)       expf(x)
#define lrnde_exp_f64(x)       exp(x)
#define lrnde_log_f32(x)       logf(x)
#define lrnde_log_f64(x)       log(x)
#define lrnde_log1p_f32(x)     log1pf(x)
#define lrnde_log1p_f64(x)     log1p(x)
#define lrnde_sin_f32(x)       sinf(x)
#define lrnde_sin_f64(x)       sin(x)
#define lrnde_cos_f32(x)       cosf(x)
#define lrnde_cos_f64(x)       cos(x)
#define lrnde_tanh_f32(x)      tanhf(x)
#define lrnde_tanh_f64(x)      tanh(x)
#define lrnde_pow_f32(x, y)    powf(x, y)
#define lrnde_pow_f64(x, y)    pow(x, y)
#define lrnde_sign_f32(x)      ((real)(((x) > 0) - ((x) < 0)))
#define lrnde_sign_f64(x)      ((double)(((x) > 0) - ((x) < 0)))
#define lrnde_sigmoid_f32(x)   (1.0f / (1.0f + expf(-(x))))
#define lrnde_sigmoid_f64(x)   (1.0 / (1.0 + exp(-(x))))

/* What the members of a team wrote is seen by all of them. */
static __device__ __forceinline__ void lrnde_meet()
{
    if (TEAM > 1) __syncthreads();
}

/* The number of this thread's member, T lanes, in its team. */
static __device__ __forceinline__ int lrnde_member()
{
    return TEAM > 1 ? (int)threadIdx.x / T : 0;
}

/* The lanes of this thread's member, as bits of its warp. */
static __device__ __forceinline__ unsigned lrnde_lanes()
{
    return T == 32 ? 0xffffffffu : ((1u << T % 32) - 1) << threadIdx.x % 32 / T * T;
}

/* Sum over the lanes, the same in each. */
template <class number> static __device__ __forceinline__ number lrnde_lane_sum(number x)
{
#pragma unroll
    for (int half = T / 2; half > 0; half /= 2) x += __shfl_xor_sync(lrnde_lanes(), x, half);
    return x;
}

/* What the members of a team hold for a lane, put together in their order by `join`: the same in each. */
template <class number, class Join> static __device__ __forceinline__ number lrnde_team(number x, Join join)
{
    if (TEAM == 1) return x;
    __shared__ number shared[TEAM][T];
    shared[threadIdx.x / T][threadIdx.x % T] = x;
    __syncthreads();
    x = shared[0][threadIdx.x % T];
    for (int w = 1; w < TEAM; w++) x = join(x, shared[w][threadIdx.x % T]);
    __syncthreads();
    return x;
}

static __device__ __forceinline__ double lrnde_team_sum(double x)
{
    return lrnde_team(x, [](double a, double b) { return a + b; });
}

static __device__ __forceinline__ real lrnde_team_max(real x)
{
    return lrnde_team(x, [](real a, real b) { return b > a ? b : a; });
}

/* Of the features that the members found largest, the first that is largest. */
struct lrnde_place {
    real at, best;
};

static __device__ __forceinline__ real lrnde_team_argmax(real at, real best)
{
    const lrnde_place place = {at, best};
    return lrnde_team(place, [](lrnde_place a, lrnde_place b) {
               return b.best > a.best || (b.best == a.best && b.at < a.at) ? b : a;
           }).at;
}

/*
 * P M = L U for the lane: M (n*n) column by column, F (n*n + n) the factors, then the rows exchanged.  Partial pivoting: the
 * largest of what is left of a column, the first of equals.  Rows are s, fs apart; one member of a team does it all.
 */
static __device__ __noinline__ void lrnde_lu(int n, const real *m, int s, real *f, int fs)
{
    if (lrnde_member() > 0) return;
    for (int i = 0; i < n * n; i++) f[i * fs] = m[i * s];
    for (int k = 0; k < n; k++) {
        real *column = f + k * n * fs;
        int pivot = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(column[i * fs]) > fabs(column[pivot * fs])) pivot = i;
        f[(n * n + k) * fs] = (real)pivot;
        for (int j = 0; j < n && pivot != k; j++) {
            real *x = f + (j * n + k) * fs, *y = f + (j * n + pivot) * fs, kept = *x;
            *x = *y, *y = kept;
        }
        for (int i = k + 1; i < n; i++) column[i * fs] /= column[k * fs];
        for (int j = k + 1; j < n; j++)
            for (int i = k + 1; i < n; i++)
                f[(j * n + i) * fs] = fma(-column[i * fs], f[(j * n + k) * fs], f[(j * n + i) * fs]);
    }
}

static __device__ __forceinline__ void lrnde_exchange(int n, int k, const real *f, int fs, real *x, int xs)
{
    const int pivot = (int)f[(n * n + k) * fs];
    const real kept = x[k * xs];
    x[k * xs] = x[pivot * xs], x[pivot * xs] = kept;
}

/* x = M^-1 b */
static __device__ __noinline__ void lrnde_lu_solve(int n, const real *f, int fs, const real *b, int bs, real *x, int xs)
{
    if (lrnde_member() > 0) return;
    for (int i = 0; i < n; i++) x[i * xs] = b[i * bs];
    for (int k = 0; k < n; k++) lrnde_exchange(n, k, f, fs, x, xs);
    for (int k = 0; k < n; k++)
        for (int i = k + 1; i < n; i++) x[i * xs] = fma(-f[(k * n + i) * fs], x[k * xs], x[i * xs]);
    for (int k = n - 1; k >= 0; k--) {
        x[k * xs] /= f[(k * n + k) * fs];
        for (int i = 0; i < k; i++) x[i * xs] = fma(-f[(k * n + i) * fs], x[k * xs], x[i * xs]);
    }
}

/* x = M^-T b */
static __device__ __noinline__ void lrnde_lu_solve_t(int n, const real *f, int fs, const real *b, int bs, real *x, int xs)
{
    if (lrnde_member() > 0) return;
    for (int i = 0; i < n; i++) x[i * xs] = b[i * bs];
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < k; i++) x[k * xs] = fma(-f[(k * n + i) * fs], x[i * xs], x[k * xs]);
        x[k * xs] /= f[(k * n + k) * fs];
    }
    for (int k = n - 1; k >= 0; k--)
        for (int i = k + 1; i < n; i++) x[k * xs] = fma(-f[(k * n + i) * fs], x[i * xs], x[k * xs]);
    for (int k = n - 1; k >= 0; k--) lrnde_exchange(n, k, f, fs, x, xs);
}

/* Sum over the threads of a block of the shared phase, in the first of them. */
template <class number> static __device__ __forceinline__ number lrnde_block_sum(number x)
{
    __shared__ number shared[MOST_THREADS / T];
    x = lrnde_lane_sum(x);
    if (threadIdx.x % T == 0) shared[threadIdx.x / T] = x;
    __syncthreads();
    if (threadIdx.x == 0)
        for (int w = 1; w < (int)blockDim.x / T; w++) x += shared[w];
    __syncthreads();
    return x;
}
