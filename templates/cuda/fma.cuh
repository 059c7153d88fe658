/* A warp's part of a product by FMA: a thread has every 128 / SAMPLES-th row, of four samples. */
struct lrnde_by_fma {
    /* Of a thread's pairs of sums, pair e belongs to this row of the warp's and to this sample and the next. */
    template <int SAMPLES> static __device__ __forceinline__ int row(int e)
    {
        return e / 2 * (128 / SAMPLES) + (int)threadIdx.x % 32 / (SAMPLES / 4);
    }

    template <int SAMPLES> static __device__ __forceinline__ int sample(int e)
    {
        return (int)threadIdx.x % (SAMPLES / 4) * 4 + e % 2 * 2;
    }

    /* Where x has a sample of term j. */
    template <int SAMPLES> static __device__ __forceinline__ int place(int j, int l) { return j * SAMPLES + l; }

    /* s += weights x (DEPTH, SAMPLES) */
    template <int SAMPLES, int ROWS>
    static __device__ __forceinline__ void multiply(accumulator (&s)[ROWS][4], const real *weights, const real *x)
    {
#pragma unroll
        for (int j = 0; j < DEPTH; j += 4) {
            lrnde_four a[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; r++) a[r] = *(const lrnde_four *)(weights + lrnde_weight(row<SAMPLES>(2 * r), j));
#pragma unroll
            for (int q = 0; q < 4; q++) {
                const lrnde_four b = *(const lrnde_four *)(x + place<SAMPLES>(j + q, sample<SAMPLES>(0)));
#pragma unroll
                for (int e = 0; e < 4 * ROWS; e++)
                    s[e / 4][e % 4] = fma((accumulator)a[e / 4].of[q], (accumulator)b.of[e % 4], s[e / 4][e % 4]);
            }
        }
    }
};
