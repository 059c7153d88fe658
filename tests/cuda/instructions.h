/*
 * instructions.h - what emitted texts have inline assembly for, on a CPU (sim.h): copies that take their time, tensor cores,
 * clusters.
 */
#ifndef TESTS_CUDA_INSTRUCTIONS_H
#define TESTS_CUDA_INSTRUCTIONS_H

#include "sim.h"

#include <cfloat>

/* Copies to shared memory that are there when waited for. */
template <class number> void lrnde_fetch(number *to, const number *from, bool valid)
{
    memset((void *)to, 0xff, sizeof *to); /* NaN */
    sim::b->fibers[sim::b->current].copies.push_back({to, valid ? from : nullptr, sizeof *to});
}
inline void lrnde_fetch_end()
{
    sim::fiber *f = &sim::b->fibers[sim::b->current];
    f->groups.push_back(f->copies.size());
}
template <int n> void lrnde_fetched()
{
    sim::fiber *f = &sim::b->fibers[sim::b->current];
    if (f->groups.size() <= n) return;
    const auto last = f->groups.end() - n;
    const size_t end = last[-1];
    for (size_t i = 0; i < end; i++) {
        const sim::copy &c = f->copies[i];
        c.from ? memcpy(c.to, c.from, c.size) : memset(c.to, 0, c.size);
    }
    f->copies.erase(f->copies.begin(), f->copies.begin() + (std::ptrdiff_t)end);
    f->groups.erase(f->groups.begin(), last);
    for (size_t &at : f->groups) at -= end;
}

/*
 * Tensor cores: the lanes of a warp bring parts of a and b, and read those of all.  What does not fit into tf32 is not read.  Four
 * products and what was there are added at a time, each of them cut off at a bit beyond the last that a float of the largest
 * one's size has, and so is the sum, at the last (Fasi, Higham, Mikaitis, Pranesh: Numerical behavior of NVIDIA tensor cores,
 * 2021; later ones keep more bits).
 */
inline float tf32(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits &= 0xffffe000u;
    memcpy(&x, &bits, sizeof x);
    return x;
}
inline int exponent(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (int)(bits >> 52 & 0x7ff) - 1023;
}
/* What is left of x in units of 2^unit. */
inline double cut_off(double x, int unit)
{
    const uint64_t bits[2] = {(uint64_t)(1023 - unit) << 52, (uint64_t)(1023 + unit) << 52};
    double power[2];
    memcpy(power, bits, sizeof power);
    return (double)(int64_t)(x * power[0]) * power[1];
}
inline float tensor_core_sum(const double (&x)[5])
{
    double largest = 0, sum = 0;
    for (double y : x) {
        largest = fabs(y) > largest ? fabs(y) : largest;
        sum += y;
    }
    if (!(largest > 0 && fabs(sum) < 1e300)) return (float)sum; /* zeros, infinities, NaN */
    const int unit = exponent(largest) - FLT_MANT_DIG;          /* half of what a float of this size has last */
    sum = 0;
    for (double y : x) sum += cut_off(y, unit);
    return sum == 0 ? 0 : (float)cut_off(sum, exponent(sum) + 1 - FLT_MANT_DIG);
}
inline void lrnde_m16n8k8(float (&s)[4], const float (&a)[4], const float (&b)[2])
{
    struct parts {
        float a[4], b[2];
    };
    const int lane = (int)(threadIdx.x % 32);
    sim::bring(~0u, parts{{tf32(a[0]), tf32(a[1]), tf32(a[2]), tf32(a[3])}, {tf32(b[0]), tf32(b[1])}});
    for (int r = 0; r < 2; r++) {
        for (int c = 0; c < 2; c++) {
            for (int half = 0; half < 2; half++) {
                double sum[5] = {s[2 * r + c]};
                for (int k = 0; k < 4; k++)
                    sum[k + 1] = (double)sim::brought<parts>(lane / 4 * 4 + k).a[half * 2 + r] *
                                 sim::brought<parts>((lane % 4 * 2 + c) * 4 + k).b[half];
                s[2 * r + c] = tensor_core_sum(sum);
            }
        }
    }
}

/* Clusters. */
#define lrnde_room           (sim::b->room)
#define lrnde_cluster_rank() ((int)(blockIdx.x % sim::b->of->cluster))
#define lrnde_cluster_meet() sim::cluster_meet(__LINE__)
#define lrnde_peer(p, rank)  sim::peer(p, rank)

#endif
