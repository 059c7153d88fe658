/*
 * rng.h - random numbers as functions: no state, nothing to save.
 *
 * A number is philox4x32-10 (Salmon et al., SC11) of (seed; stream, sub, counter), so a resumed or re-ordered run draws the same
 * numbers, on any thread and any device.  A stream is one use of randomness; sub tells its parts apart (a parameter leaf, a
 * data split), counter the draws of a part (an element, a training step).
 */
#ifndef LRNDE_IO_RNG_H
#define LRNDE_IO_RNG_H

#include "io/normal.h"

#include <Random123/philox.h>
#include <stdint.h>

typedef enum lrnde__stream {
    LRNDE__STREAM_INIT,       /* parameters: sub = leaf, counter = element */
    LRNDE__STREAM_REGULARIZE, /* t_reg: counter = training step */
    LRNDE__STREAM_SHUFFLE,    /* order of the samples: sub = split */
    LRNDE__STREAM_NOISE,      /* the key of a path: sub = path, counter = training step; with it: sub = draw, counter = entry */
    LRNDE__STREAM_LOCAL_NOISE /* the same of the local step's own noise */
} lrnde__stream;

/* Four words; the counter fills the first two of the block, sub and stream the others. */
static inline philox4x32_ctr_t lrnde__random(uint64_t seed, lrnde__stream stream, uint32_t sub, uint64_t counter)
{
    philox4x32_ctr_t block = {{(uint32_t)counter, (uint32_t)(counter >> 32), sub, (uint32_t)stream}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(block, key);
}

/* Uniform in [0, 1). */
static inline double lrnde__uniform(uint64_t seed, lrnde__stream stream, uint32_t sub, uint64_t counter)
{
    philox4x32_ctr_t r = lrnde__random(seed, stream, sub, counter);
    return lrnde__unit(r.v[0], r.v[1]);
}

/* A uniform permutation of 0..n-1 (Fisher-Yates, from the end). */
static inline void lrnde__permutation(uint64_t seed, lrnde__stream stream, uint32_t sub, int64_t n, int64_t *order)
{
    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)(lrnde__uniform(seed, stream, sub, (uint64_t)i) * (double)(i + 1));
        int64_t swapped = order[i];
        order[i] = order[j];
        order[j] = swapped;
    }
}

#endif
