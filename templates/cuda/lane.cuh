/*
 * Matrix products of a tile that is one warp: a lane has its sample to itself.
 */

/*
 * y (m) = W x for the lane, plus y itself if `add`; element (i, j) of W is w[i * si + j * sj], elements of x and y are xs and
 * ys apart.  ROWS rows at a time have their sums in registers.
 */
static __device__ __forceinline__ void lrnde_product(int m, int n, const real *w, int si, int sj, const real *x, int xs, real *y,
                                                     int ys, bool add)
{
    enum { ROWS = 4 };
    for (int i = 0; i < m; i += ROWS) {
        accumulator s[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) s[r] = add && i + r < m ? y[(i + r) * ys] : 0;
#pragma unroll 4
        for (int j = 0; j < n; j++) {
            const real x_j = x[j * xs];
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                if (i + r < m) s[r] = fma((accumulator)w[(i + r) * si + j * sj], (accumulator)x_j, s[r]);
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            if (i + r < m) y[(i + r) * ys] = (real)s[r];
    }
}

/* From terms of 2 half sums in every lane to one of these sums in each. */
template <int half> static __device__ __forceinline__ void lrnde_halve(accumulator *s, int lane)
{
    const bool upper = lane & half;
#pragma unroll
    for (int q = 0; q < half; q++) {
        const accumulator kept = upper ? s[q + half] : s[q], given = upper ? s[q] : s[q + half];
        s[q] = kept + __shfl_xor_sync(0xffffffffu, given, half);
    }
    lrnde_halve<half / 2>(s, lane);
}

template <> __device__ __forceinline__ void lrnde_halve<0>(accumulator *, int) {}

/*
 * to (m, n) += sum over the valid lanes of y x^T, elements of y and x ys and xs apart.  The warp does T elements at a time: each
 * lane its terms of all of them, then in every halving a lane hands half of what it holds to its partner, and is left with the
 * sum of one element.  A function, not text in every stage: faster to compile.
 */
static __device__ __noinline__ void lrnde_outer(real *to, int m, int n, const real *y, int ys, const real *x, int xs, bool valid)
{
    const int lane = (int)threadIdx.x % T;
    for (int e0 = 0; e0 < m * n; e0 += T) {
        accumulator s[T];
        int i = e0 / n, j = e0 % n;
#pragma unroll
        for (int q = 0; q < T; q++) {
            s[q] = valid && i < m ? (accumulator)y[i * ys] * (accumulator)x[j * xs] : 0;
            if (++j == n) i++, j = 0;
        }
        lrnde_halve<T / 2>(s, lane);
        if (e0 + lane < m * n) to[e0 + lane] += (real)s[0];
    }
}
