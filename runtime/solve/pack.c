/*
 * pack.c - between the caller's row-major arrays (B, n) and the tiles (tiles, n, T) that kernels work on.
 *
 * stride is the distance from one sample of the caller's array to the next, in elements, so that one save time of a
 * (B, S, n) array is an (B, n) array too.  Lanes beyond the batch repeat the last sample, or are zero where the array is a
 * cotangent.  Labels come and go as int32_t and are stored as reals.
 */
#include "solve/solver.h"

#define PACK(source, real)                                                                                                       \
    for (int64_t lane = 0; lane < s->lanes; lane++) {                                                                            \
        int64_t sample = lane < batch ? lane : batch - 1;                                                                        \
        real *column = (real *)s->staging + lane / tile * size * tile + lane % tile;                                             \
        const source *row = (const source *)from + sample * stride;                                                              \
        for (int64_t i = 0; i < size; i++) column[i * tile] = lane < batch || repeat ? (real)row[i] : 0;                         \
    }

void lrnde__pack(lrnde_solver *s, void *to, int64_t size, const void *from, int64_t stride, int label, int repeat)
{
    int64_t batch = s->options.batch, tile = s->tile;
    int narrow = s->desc->real_bytes == sizeof(float);
    if (label && narrow) {
        PACK(int32_t, float)
    } else if (label) {
        PACK(int32_t, double)
    } else if (narrow) {
        PACK(float, float)
    } else {
        PACK(double, double)
    }
    s->driver->put(s->device, to, s->staging, (size_t)(s->lanes * size) * (size_t)s->desc->real_bytes);
}

#define UNPACK(real, target)                                                                                                     \
    for (int64_t sample = 0; sample < batch; sample++) {                                                                         \
        const real *column = (const real *)s->staging + sample / tile * size * tile + sample % tile;                             \
        target *row = (target *)to + sample * stride;                                                                            \
        for (int64_t i = 0; i < size; i++) row[i] = (target)column[i * tile];                                                    \
    }

void lrnde__unpack(lrnde_solver *s, void *to, int64_t stride, const void *from, int64_t size, int label)
{
    int64_t batch = s->options.batch, tile = s->tile;
    int narrow = s->desc->real_bytes == sizeof(float);
    s->driver->get(s->device, s->staging, from, (size_t)(s->lanes * size) * (size_t)s->desc->real_bytes);
    if (label && narrow) {
        UNPACK(float, int32_t)
    } else if (label) {
        UNPACK(double, int32_t)
    } else if (narrow) {
        UNPACK(float, float)
    } else {
        UNPACK(double, double)
    }
}
