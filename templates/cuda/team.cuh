/*
 * Matrix products of a tile that a whole block shares, in panels through shared memory, sums in registers.
 *
 * A warp has ROWS x ABREAST rows of a product and DEPTH of the terms of their sums at a time; a thread, ROWS rows of four samples.
 * The block's warps are SPLIT abreast along the terms and the others along the rows: many rows need no more than that, and few
 * rows of long sums would leave warps idle.  Which it is follows from the matrix (products.lua).  Strides in shared memory are such that
 * nobody waits for a bank.
 */
enum {
    WARPS = T * TEAM / 32,
    QUARTERS = T / 4,         /* fours of samples */
    ABREAST = 32 / QUARTERS,  /* rows a warp has side by side */
    DEPTH = 64 / sizeof(real),
    WEIGHTS = DEPTH + 4,      /* from one row of weights to the next */
    SIDE = 64,                /* of a square of an outer product */
    COLUMN = SIDE + 2         /* from one lane of it to the next */
};

struct alignas(4 * sizeof(real)) lrnde_four {
    real of[4];
};
struct alignas(2 * sizeof(real)) lrnde_two {
    real of[2];
};

/* What a product has in shared memory, one after the other. */
__shared__ lrnde_four lrnde_panel[@(panel) / sizeof(lrnde_four)];

/*
 * y (m, T) = W x (n, T), plus y itself if `add`; element (i, j) of W is w[i * si + j * sj].  While the warps multiply what is in
 * shared memory, what comes next is on its way into registers.
 */
template <int ROWS, int SPLIT>
static __device__ __noinline__ void lrnde_product(int m, int n, const real *__restrict__ w, int si, int sj, const real *x, real *y,
                                                  bool add)
{
    enum {
        ACROSS = WARPS / SPLIT,                        /* warps along the rows */
        ROW_PANEL = ACROSS * ROWS * ABREAST,           /* rows the block has at a time */
        TERM_PANEL = SPLIT * DEPTH,
        SHARE = ROWS * ABREAST * WEIGHTS,              /* of a warp, of the weights in shared memory */
        STAGED_X = (TERM_PANEL + TEAM - 1) / TEAM,
    };
    static_assert((WARPS * SHARE + TERM_PANEL * T) * sizeof(real) <= sizeof lrnde_panel, "a panel does not fit");
    static_assert(WARPS / 2 * 32 * ROWS * 4 * sizeof(accumulator) <= sizeof lrnde_panel, "half of the sums do not fit");
    const int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32, l = (int)threadIdx.x % T, member = lrnde_member();
    const int row = lane / QUARTERS, quarter = lane % QUARTERS, part = warp % SPLIT;
    const int row8 = lane % 8, term4 = lane / 8; /* of a warp's load of weights: 8 rows, 4 terms */
    real *const panel = lrnde_panel[0].of, *const weights = panel + warp * SHARE, *const xs = panel + WARPS * SHARE;
    for (int i0 = 0; i0 < m; i0 += ROW_PANEL) {
        const int first = i0 + warp / SPLIT * (ROWS * ABREAST);
        accumulator s[ROWS][4];
        real next_w[ROWS * ABREAST / 8][DEPTH / 4], next_x[STAGED_X];
#pragma unroll
        for (int r = 0; r < ROWS; r++)
#pragma unroll
            for (int c = 0; c < 4; c++) s[r][c] = 0;
        const auto fetch = [&](int j0) {
            const int term = j0 + part * DEPTH + term4;
            const real *from = w + (first + row8) * si + term * sj;
#pragma unroll
            for (int r = 0; r < ROWS * ABREAST / 8; r++)
#pragma unroll
                for (int q = 0; q < DEPTH / 4; q++)
                    next_w[r][q] = first + row8 + 8 * r < m && term + 4 * q < n ? from[8 * r * si + 4 * q * sj] : 0;
#pragma unroll
            for (int q = 0; q < STAGED_X; q++) {
                const int j = member + q * TEAM;
                next_x[q] = j < TERM_PANEL && j0 + j < n ? x[(j0 + j) * T] : 0;
            }
        };
        fetch(0);
        for (int j0 = 0; j0 < n; j0 += TERM_PANEL) {
            __syncthreads(); /* nobody reads what is replaced now */
#pragma unroll
            for (int r = 0; r < ROWS * ABREAST / 8; r++)
#pragma unroll
                for (int q = 0; q < DEPTH / 4; q++) weights[(8 * r + row8) * WEIGHTS + 4 * q + term4] = next_w[r][q];
#pragma unroll
            for (int q = 0; q < STAGED_X; q++)
                if (member + q * TEAM < TERM_PANEL) xs[(member + q * TEAM) * T + l] = next_x[q];
            __syncthreads(); /* all of it is there */
            if (j0 + TERM_PANEL < n) fetch(j0 + TERM_PANEL);
#pragma unroll
            for (int j = 0; j < DEPTH; j += 4) {
                lrnde_four a[ROWS];
#pragma unroll
                for (int r = 0; r < ROWS; r++) a[r] = *(const lrnde_four *)&weights[(ABREAST * r + row) * WEIGHTS + j];
#pragma unroll
                for (int q = 0; q < 4; q++) {
                    const lrnde_four b = *(const lrnde_four *)&xs[(part * DEPTH + j + q) * T + 4 * quarter];
#pragma unroll
                    for (int r = 0; r < ROWS; r++)
#pragma unroll
                        for (int c = 0; c < 4; c++) s[r][c] = fma((accumulator)a[r].of[q], (accumulator)b.of[c], s[r][c]);
                }
            }
        }
        /* The parts of a sum, halved until the first warps have all of it. */
        accumulator(*const sums)[ROWS][4][32] = (accumulator(*)[ROWS][4][32])panel;
#pragma unroll
        for (int half = SPLIT / 2; half > 0; half /= 2) {
            const int mine = warp / SPLIT * half + part % half;
            __syncthreads();
#pragma unroll
            for (int r = 0; r < ROWS; r++)
#pragma unroll
                for (int c = 0; c < 4; c++)
                    if (part >= half && part < 2 * half) sums[mine][r][c][lane] = s[r][c];
            __syncthreads();
#pragma unroll
            for (int r = 0; r < ROWS; r++)
#pragma unroll
                for (int c = 0; c < 4; c++)
                    if (part < half) s[r][c] += sums[mine][r][c][lane];
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const int i = first + ABREAST * r + row;
            if (part > 0 || i >= m) continue;
            lrnde_four *const to = (lrnde_four *)(y - l + i * T + 4 * quarter);
            lrnde_four result = add ? *to : lrnde_four{{0, 0, 0, 0}};
#pragma unroll
            for (int c = 0; c < 4; c++) result.of[c] = (real)((accumulator)result.of[c] + s[r][c]);
            *to = result;
        }
    }
}

/* SIDE rows of a per-sample array, from row i0 of n on, turned so that a lane has its rows side by side; zero beyond n and where not valid. */
static __device__ __forceinline__ void lrnde_turn(real *to, const real *from, int i0, int n, bool valid)
{
#pragma unroll
    for (int i = lrnde_member(); i < SIDE; i += TEAM)
        to[threadIdx.x % T * COLUMN + i] = valid && i0 + i < n ? from[(i0 + i) * T] : 0;
}

/* to (m, n) += sum over the valid lanes of y (m, T) x (n, T)^T, a square at a time; a thread has 4 by 4 of its elements. */
static __device__ __noinline__ void lrnde_outer(real *to, int m, int n, const real *y, const real *x, bool valid)
{
    static_assert(2 * T * COLUMN * sizeof(real) <= sizeof lrnde_panel && SIDE * SIDE == 16 * T * TEAM, "a square does not fit");
    real *const ys = lrnde_panel[0].of, *const xs = ys + T * COLUMN;
    const int i = (int)threadIdx.x / 16 * 4, j = (int)threadIdx.x % 16 * 2;
    for (int i0 = 0; i0 < m; i0 += SIDE) {
        for (int j0 = 0; j0 < n; j0 += SIDE) {
            __syncthreads();
            lrnde_turn(ys, y, i0, m, valid);
            lrnde_turn(xs, x, j0, n, valid);
            __syncthreads();
            accumulator s[2][2][2][2] = {};
#pragma unroll 4
            for (int l = 0; l < T; l++) {
#pragma unroll
                for (int p = 0; p < 2; p++) {
                    const lrnde_two a = *(const lrnde_two *)&ys[l * COLUMN + i + 2 * p];
#pragma unroll
                    for (int q = 0; q < 2; q++) {
                        const lrnde_two b = *(const lrnde_two *)&xs[l * COLUMN + j + SIDE / 2 * q];
#pragma unroll
                        for (int e = 0; e < 4; e++)
                            s[p][q][e / 2][e % 2] = fma((accumulator)a.of[e / 2], (accumulator)b.of[e % 2], s[p][q][e / 2][e % 2]);
                    }
                }
            }
#pragma unroll
            for (int e = 0; e < 16; e++) {
                const int at_i = i0 + i + e / 4, at_j = j0 + j + SIDE / 2 * (e / 2 % 2) + e % 2;
                if (at_i < m && at_j < n) to[at_i * n + at_j] += (real)s[e / 8][e / 2 % 2][e / 4 % 2][e % 2];
            }
        }
    }
}
