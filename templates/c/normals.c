/* normals.c - see normals.h: words by Random123, then pairs of numbers in loops that become vector code. */
#include "normals.h"

#include "io/rng.h"

enum { LANES = 64 };

/* `n` lanes of feature i, from `lane` of the batch on. */
static void draw_lanes(const lrnde_draw *draw, uint64_t i, int64_t lane, int32_t n, double *w, double *z)
{
    const int64_t last = draw->batch - 1;
    double u[LANES], v[LANES];
    for (int32_t l = 0; l < n; l++) {
        int64_t sample = lane + l < last ? lane + l : last;
        philox4x32_ctr_t r = lrnde__random(draw->key, LRNDE__STREAM_NOISE, draw->draw, (uint64_t)sample << 32 | i);
        u[l] = lrnde__unit(r.v[0], r.v[1]);
        v[l] = 1 - lrnde__unit(r.v[2], r.v[3]);
    }
    for (int32_t l = 0; l < n; l++) lrnde__normal(u[l], v[l], &w[l], &z[l]);
}

#define SCALE(real)                                                                                                              \
    for (int32_t l = 0; l < n; l++) ((real *)to)[at + l] = (real)(scale * x[l])

static void put_lanes(const double *x, double scale, int32_t n, size_t real_bytes, void *to, int64_t at)
{
    if (real_bytes == sizeof(float)) {
        SCALE(float);
    } else {
        SCALE(double);
    }
}

void lrnde__cpu_normals(const lrnde_draw *draw, double scale, int64_t row, size_t real_bytes, void *w, void *z)
{
    const int64_t feature = row % draw->size, lane = row / draw->size * draw->tile;
    double first[LANES], second[LANES];
    for (int64_t l = 0; l < draw->tile; l += LANES) {
        const int32_t n = (int32_t)(draw->tile - l < LANES ? draw->tile - l : LANES);
        const int64_t at = row * draw->tile + l;
        draw_lanes(draw, (uint64_t)feature, lane + l, n, first, second);
        put_lanes(first, scale, n, real_bytes, w, at);
        if (z) put_lanes(second, scale, n, real_bytes, z, at);
    }
}
