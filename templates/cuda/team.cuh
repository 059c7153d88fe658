/*
 * Matrix products of a tile that a whole block shares, in panels through shared memory, sums in registers.  What a thread
 * multiplies, and which sums it has, is another matter: `way` is lrnde_by_fma or lrnde_by_mma.
 *
 * A warp has ROWS x ABREAST rows of a product and DEPTH of the terms of their sums at a time; a thread, ROWS times four sums.
 * The block's warps are SPLIT abreast along the terms and the others along the rows: many rows need no more than that, and few
 * rows of long sums would leave warps idle.  Which it is follows from the matrix (products.lua).  Places in shared memory are
 * such that nobody waits for a bank.
 */
enum {
    WARPS = T * TEAM / 32,
    ABREAST = 128 / T, /* rows of a warp for every four sums of a thread */
    DEPTH = @(DEPTH),
    SIDE = 64,               /* of a square of an outer product */
    COLUMN = SIDE + 2        /* from one lane of it to the next */
};

struct alignas(4 * sizeof(real)) lrnde_four {
    real of[4];
};
struct alignas(2 * sizeof(real)) lrnde_two {
    real of[2];
};

/* What a product has in shared memory. */
__shared__ lrnde_four lrnde_panel[@(PANEL) / sizeof(lrnde_four)];

#ifdef __CUDACC_RTC__
/* Begins to copy a number to shared memory, or a zero if not valid. */
static __device__ __forceinline__ void lrnde_fetch(real *to, const real *from, bool valid)
{
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"((unsigned)__cvta_generic_to_shared(to)), "l"(from),
                 "n"(sizeof *to), "r"(valid ? (unsigned)sizeof *to : 0)
                 : "memory");
}

/* What this thread began to copy since the last end is one group; */
static __device__ __forceinline__ void lrnde_fetch_end()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

/* and all its groups are there but the last `n`. */
template <int n> static __device__ __forceinline__ void lrnde_fetched()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(n) : "memory");
}
#endif

/* Where term j of a row of weights is in shared memory: every other four rows have their fours of terms exchanged. */
static __device__ __forceinline__ int lrnde_weight(int row, int j)
{
    return row * DEPTH + (j / 4 ^ row / 4 % 2) * 4 + j % 4;
}

@(ways)
/* The parts of sums that SPLIT warps have, halved until the first of them has all; by shared memory that nobody reads any more. */
template <int ROWS, int SPLIT> static __device__ __forceinline__ void lrnde_put_together(accumulator (&s)[ROWS][4], void *room)
{
    accumulator(*const sums)[ROWS][4][32] = (accumulator(*)[ROWS][4][32])room;
    const int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32, part = warp % SPLIT;
#pragma unroll
    for (int half = SPLIT / 2; half > 0; half /= 2) {
        const int mine = warp / SPLIT * half + part % half;
        __syncthreads();
#pragma unroll
        for (int e = 0; e < 4 * ROWS; e++)
            if (part >= half && part < 2 * half) sums[mine][e / 4][e % 4][lane] = s[e / 4][e % 4];
        __syncthreads();
#pragma unroll
        for (int e = 0; e < 4 * ROWS; e++)
            if (part < half) s[e / 4][e % 4] += sums[mine][e / 4][e % 4][lane];
    }
}

/*
 * y (m, T) = W x (n, T), plus y itself if `add`; element (i, j) of W is w[i * si + j * sj].  While the warps multiply one panel
 * STAGES - 1 others are on their way.
 */
template <class way, int ROWS, int SPLIT>
static __device__ __noinline__ void lrnde_product(int m, int n, const real *w, int si, int sj, const real *x, real *y, bool add)
{
    enum {
        ROW_PANEL = WARPS / SPLIT * ROWS * ABREAST, /* rows the block has at a time */
        TERM_PANEL = SPLIT * DEPTH,
        SHARE = ROWS * ABREAST * DEPTH, /* of a warp, of the weights */
        PANEL = WARPS * SHARE + TERM_PANEL * T,
        ROOM = sizeof lrnde_panel / (PANEL * sizeof(real)),
        STAGES = ROOM < @(STAGES) ? ROOM : @(STAGES)
    };
    static_assert(STAGES >= 2, "two panels do not fit");
    static_assert(WARPS / 2 * 32 * ROWS * 4 * sizeof(accumulator) <= sizeof lrnde_panel, "half of the sums do not fit");
    const int lane = (int)threadIdx.x % 32, warp = (int)threadIdx.x / 32, l = (int)threadIdx.x % T;
    const int part = warp % SPLIT;
    for (int i0 = 0; i0 < m; i0 += ROW_PANEL) {
        const int first = i0 + warp / SPLIT * (ROWS * ABREAST);
        /* A warp brings its weights, four terms of eight rows at a time, and a member rows of x. */
        const auto fetch = [&](real *panel, int j0) {
            const int i = first + lane % 8, j = j0 + part * DEPTH + lane / 8;
#pragma unroll
            for (int r = 0; r < ROWS * ABREAST; r += 8)
#pragma unroll
                for (int q = 0; q < DEPTH; q += 4)
                    lrnde_fetch(panel + warp * SHARE + lrnde_weight(r + lane % 8, q + lane / 8), w + (i + r) * si + (j + q) * sj,
                                i + r < m && j + q < n);
#pragma unroll
            for (int q = lrnde_member(); q < TERM_PANEL; q += TEAM)
                lrnde_fetch(panel + WARPS * SHARE + way::template place<T>(q, l), x + (j0 + q) * T, j0 + q < n);
        };
        accumulator s[ROWS][4] = {};
        for (int j0 = -(STAGES - 1) * TERM_PANEL, slot = 0; j0 < n; j0 += TERM_PANEL) {
            const int coming = j0 + (STAGES - 1) * TERM_PANEL;
            lrnde_fetched<STAGES - 2>();
            __syncthreads(); /* all of panel j0 is there, and what was in the slot of the coming one has been read */
            if (coming < n) fetch(lrnde_panel[0].of + slot * PANEL, coming);
            lrnde_fetch_end();
            slot = (slot + 1) % STAGES;
            const real *const panel = lrnde_panel[0].of + slot * PANEL;
            if (j0 >= 0) way::template multiply<T, ROWS>(s, panel + warp * SHARE, panel + WARPS * SHARE + part * DEPTH * T);
        }
        lrnde_put_together<ROWS, SPLIT>(s, lrnde_panel);
#pragma unroll
        for (int e = 0; e < 2 * ROWS; e++) {
            const int i = first + way::template row<T>(e);
            if (part > 0 || i >= m) continue;
            lrnde_two *const to = (lrnde_two *)(y - l + i * T + way::template sample<T>(e));
            const lrnde_two before = add ? *to : lrnde_two{{0, 0}};
            *to = lrnde_two{{(real)((accumulator)before.of[0] + s[e / 2][e % 2 * 2]),
                             (real)((accumulator)before.of[1] + s[e / 2][e % 2 * 2 + 1])}};
        }
    }
}

/* SIDE rows of a per-sample array from row i0 of n on, a lane's side by side; zeros beyond n and where not valid. */
static __device__ __forceinline__ void lrnde_turn(real *to, const real *from, int i0, int n, bool valid)
{
#pragma unroll
    for (int i = lrnde_member(); i < SIDE; i += TEAM)
        to[threadIdx.x % T * COLUMN + i] = valid && i0 + i < n ? from[(i0 + i) * T] : 0;
}

/*
 * to (m, n) += sums over the valid lanes of y (m, T) x (n, T)^T for so many y and x, a square at a time; a thread has 4 by 4 of
 * its elements.  What is in `to` before is not read if this is the first that goes there.
 */
static __device__ __noinline__ void lrnde_outer(real *to, int m, int n, int terms, const real *const *y, const real *const *x,
                                                bool valid, bool first)
{
    static_assert(2 * T * COLUMN * sizeof(real) <= sizeof lrnde_panel && SIDE * SIDE == 16 * T * TEAM, "a square does not fit");
    real *const ys = lrnde_panel[0].of, *const xs = ys + T * COLUMN;
    const int i = (int)threadIdx.x / 16 * 4, j = (int)threadIdx.x % 16 * 2;
    for (int i0 = 0; i0 < m; i0 += SIDE) {
        for (int j0 = 0; j0 < n; j0 += SIDE) {
            accumulator s[2][2][2][2] = {};
            for (int term = 0; term < terms; term++) {
                __syncthreads(); /* the term before has been read */
                lrnde_turn(ys, y[term], i0, m, valid);
                lrnde_turn(xs, x[term], j0, n, valid);
                __syncthreads();
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
                                s[p][q][e / 2][e % 2] =
                                    fma((accumulator)a.of[e / 2], (accumulator)b.of[e % 2], s[p][q][e / 2][e % 2]);
                        }
                    }
                }
            }
#pragma unroll
            for (int e = 0; e < 16; e++) {
                const int at_i = i0 + i + e / 4, at_j = j0 + j + SIDE / 2 * (e / 2 % 2) + e % 2;
                if (at_i >= m || at_j >= n) continue;
                real *const at = to + at_i * n + at_j;
                *at = (first ? 0 : *at) + (real)s[e / 8][e / 2 % 2][e / 4 % 2][e % 2];
            }
        }
    }
}
