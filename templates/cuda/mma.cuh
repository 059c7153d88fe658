/*
 * A warp's part of a product on tensor cores: sixteen rows of eight samples at a time (m16n8k8), for which a thread has four
 * sums.  They read of a float its sign, exponent and ten bits: tf32.
@if way ~= "tf32" then
 *
 * What the nearest such number leaves of a float is a float of its own, of either sign and 2^-12 of it at most, and the product
 * of two such rests is nothing beside rounding: three products, the smaller ones first, are as exact as one of floats.  Where
 * tensor cores add they cut off what does not fit, always toward zero, which over a long sum would be more than rounding: they add
 * up eight terms, and the sums of these are added as other floats are.  (Ootomo, Yokota: Recovering single precision accuracy
 * from tensor cores, 2022.)
@end
 */
#ifdef __CUDACC_RTC__
/* s (16, 8) += a (16, 8) b (8, 8), spread over the warp. */
static __device__ __forceinline__ void lrnde_m16n8k8(float (&s)[4], const float (&a)[4], const float (&b)[2])
{
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(s[0]), "+f"(s[1]), "+f"(s[2]), "+f"(s[3])
                 : "r"(__float_as_int(a[0])), "r"(__float_as_int(a[1])), "r"(__float_as_int(a[2])), "r"(__float_as_int(a[3])),
                   "r"(__float_as_int(b[0])), "r"(__float_as_int(b[1])));
}
#endif
@if way ~= "tf32" then

/* Of each number the nearest that tf32 holds, and the rest (Veltkamp, Dekker); beyond 2^114 there is none, but NaN. */
template <int N> static __device__ __forceinline__ void lrnde_split(float (&x)[N], float (&rest)[N])
{
#pragma unroll
    for (int i = 0; i < N; i++) {
        const float shifted = x[i] * 8193.0f, held = shifted - (shifted - x[i]);
        rest[i] = x[i] - held, x[i] = held;
    }
}
@end

struct lrnde_by_mma {
    /* Of a thread's pairs of sums, pair e belongs to this row of the warp's and to this sample and the next. */
    template <int SAMPLES> static __device__ __forceinline__ int row(int e)
    {
        return e / 2 / (SAMPLES / 8) * 16 + e % 2 * 8 + (int)threadIdx.x % 32 / 4;
    }

    template <int SAMPLES> static __device__ __forceinline__ int sample(int e)
    {
        return e / 2 % (SAMPLES / 8) * 8 + (int)threadIdx.x % 4 * 2;
    }

    /* Where x has a sample of term j: eights of samples change places, so that four terms of eight are in as many banks. */
    template <int SAMPLES> static __device__ __forceinline__ int place(int j, int l)
    {
        return j * SAMPLES + (l ^ j / (32 / SAMPLES) % (SAMPLES / 8) * 8);
    }

    /* s += weights x (DEPTH, SAMPLES) */
    template <int SAMPLES, int ROWS>
    static __device__ __forceinline__ void multiply(accumulator (&s)[ROWS][4], const real *weights, const real *x)
    {
        static_assert(DEPTH == 8 && ROWS * 8 % SAMPLES == 0, "a warp has whole tiles of tensor cores");
        const int of_eight = (int)threadIdx.x % 32 / 4, term = (int)threadIdx.x % 4;
#pragma unroll
        for (int r = 0; r < ROWS; r += SAMPLES / 8) {
            float a[4];
#pragma unroll
            for (int i = 0; i < 4; i++) a[i] = weights[lrnde_weight(row<SAMPLES>(2 * r) + i % 2 * 8, term + i / 2 * 4)];
@if way ~= "tf32" then
            float a_rest[4];
            lrnde_split(a, a_rest);
@end
#pragma unroll
            for (int c = 0; c < SAMPLES / 8; c++) {
                float b[2] = {x[place<SAMPLES>(term, c * 8 + of_eight)], x[place<SAMPLES>(term + 4, c * 8 + of_eight)]};
@if way == "tf32" then
                lrnde_m16n8k8(s[r + c], a, b);
@else
                float b_rest[2], eight[4] = {};
                lrnde_split(b, b_rest);
                lrnde_m16n8k8(eight, a_rest, b);
                lrnde_m16n8k8(eight, a, b_rest);
                lrnde_m16n8k8(eight, a, b);
#pragma unroll
                for (int e = 0; e < 4; e++) s[r + c][e] += eight[e];
@end
            }
        }
    }
};
