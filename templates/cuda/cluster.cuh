/*
 * Clusters: CLUSTER blocks, each with a part of all weights in its shared memory, take steps of LANES samples together.
 *
 * A thread has every MEMBERS-th feature, of one lane, of an array or of its block's part of one: q of them.  A product reads x
 * from shared memory, (features, LANES); its sums are there when the block, or the cluster, has met, and what a thread has of
 * them is THREADS apart.
 */
enum {
    CLUSTER = @(way.size),
    LANES = @(way.lanes),
    MEMBERS = @(way.members),
    THREADS = MEMBERS * LANES,
    X_AT = @(way.weights // bytes),  /* in numbers: first come the weights */
    Y_AT = X_AT + @(way.x),
    PARTIAL_AT = Y_AT + @(way.y) /* two */
};

#ifdef __CUDACC_RTC__
extern __shared__ lrnde_four lrnde_room[]; /* @(way.bytes) bytes */

static __device__ __forceinline__ int lrnde_cluster_rank()
{
    int rank;
    asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
    return rank;
}

/* What the threads of a cluster wrote in shared memory is seen by all of them. */
static __device__ __forceinline__ void lrnde_cluster_meet()
{
    asm volatile("barrier.cluster.arrive.aligned;\n\tbarrier.cluster.wait.aligned;" ::: "memory");
}

/* Where block `rank` of the cluster has what is at p in this one. */
static __device__ __forceinline__ const real *lrnde_peer(const real *p, int rank)
{
    const real *q;
    asm("mapa.u64 %0, %1, %2;" : "=l"(q) : "l"(p), "r"(rank));
    return q;
}
#endif

/* How many of n, divided into parts of so many, block `rank` has. */
static __device__ __forceinline__ int lrnde_part(int n, int part, int rank)
{
    const int left = n - rank * part;
    return left < 0 ? 0 : left < part ? left : part;
}

/* Element `at` of an array, added up over the cluster. */
static __device__ __forceinline__ real lrnde_gather(const real *partial, int at)
{
    real sum = 0;
#pragma unroll
    for (int rank = 0; rank < CLUSTER; rank++) sum += lrnde_peer(partial, rank)[at];
    return sum;
}

/*
 * Rows [i0, i0 + mp) of m and terms [j0, j0 + np) of n of a matrix, as lrnde_resident reads them: a group of rows after another,
 * of each a block of terms after another; zeros beyond.
 */
template <int ROWS, int GROUPS, int BLOCKS>
static __device__ void lrnde_settle(real *to, const real *w, int si, int sj, int i0, int m, int mp, int j0, int n, int np)
{
    enum { HEIGHT = ROWS * 128 / LANES, WIDTH = BLOCKS * DEPTH };
    for (int e = threadIdx.x; e < GROUPS * HEIGHT * WIDTH; e += blockDim.x) {
        const int i = e / WIDTH, j = e % WIDTH;
        const bool there = i < mp && i0 + i < m && j < np && j0 + j < n;
        to[(i / HEIGHT * BLOCKS + j / DEPTH) * (HEIGHT * DEPTH) + lrnde_weight(i % HEIGHT, j % DEPTH)] =
            there ? w[(i0 + i) * si + (j0 + j) * sj] : 0;
    }
}

/*
 * y (GROUPS * HEIGHT, LANES) = W x, x (n, LANES) as `way` places it, with room for BLOCKS * DEPTH rows; what is in x is lost.
 * Of the warps, SPLIT are abreast along the terms.  The block, or the cluster, has to meet before y is read.
 */
template <class way, int ROWS, int SPLIT, int GROUPS, int BLOCKS>
static __device__ __forceinline__ void lrnde_resident(const real *w, int n, real *x, real *y)
{
    enum { HEIGHT = ROWS * 128 / LANES, ROUNDS = (GROUPS + WARPS / SPLIT - 1) / (WARPS / SPLIT) };
    const int warp = (int)threadIdx.x / 32, part = warp % SPLIT;
    static_assert(SPLIT == 1 || ROUNDS == 1, "x is lost before all rows have read it");
    for (int e = n * LANES + (int)threadIdx.x; e < BLOCKS * DEPTH * LANES; e += (int)blockDim.x) x[e] = 0;
    __syncthreads();
#pragma unroll
    for (int round = 0; round < ROUNDS; round++) {
        const int group = round * (WARPS / SPLIT) + warp / SPLIT;
        accumulator s[ROWS][4] = {};
        if (group < GROUPS) {
#pragma unroll 2
            for (int block = part; block < BLOCKS; block += SPLIT)
                way::template multiply<LANES, ROWS>(s, w + (group * BLOCKS + block) * (HEIGHT * DEPTH),
                                                    x + block * DEPTH * LANES);
        }
        lrnde_put_together<ROWS, SPLIT>(s, x);
#pragma unroll
        for (int e = 0; e < 2 * ROWS; e++) {
            const int i = group * HEIGHT + way::template row<LANES>(e);
            if (part == 0 && group < GROUPS)
                *(lrnde_two *)(y + i * LANES + way::template sample<LANES>(e)) =
                    lrnde_two{{(real)s[e / 2][e % 2 * 2], (real)s[e / 2][e % 2 * 2 + 1]}};
        }
    }
}
