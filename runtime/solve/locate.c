/*
 * locate.c - after a step that was not finite: which stage, of which sample, was the first.
 *
 * Runs only when a solve has failed, so it may allocate, and brings whole arrays to the host.
 */
#include "solve/solver.h"

#include <math.h>
#include <stdlib.h>

/* The first sample of a packed state that is not finite, or -1. */
static int64_t first_bad_sample(lrnde_solver *s, const void *state, char *rows)
{
    int64_t size = s->desc->state;
    lrnde__unpack(s, rows, size, state, size);
    for (int64_t i = 0; i < s->options.batch * size; i++) {
        double x = s->desc->real_bytes == sizeof(float) ? ((float *)rows)[i] : ((double *)rows)[i];
        if (!isfinite(x)) return i / size;
    }
    return -1;
}

void lrnde__locate(lrnde__run *r, int64_t n)
{
    lrnde_solver *s = r->s;
    const lrnde_system_desc *sys = r->sys;
    lrnde__slot *slot = lrnde__slot_at(r->record, n), *next = lrnde__slot_at(r->record, n + 1);
    char *rows = malloc((size_t)(s->options.batch * s->desc->state) * (size_t)s->desc->real_bytes);
    for (int32_t stage = 1; rows && stage <= sys->stages; stage++) {
        int32_t interior = stage - 1 - (sys->fsal ? 1 : 0);
        void *k = interior < 0          ? slot->carry[sys->n_components]
                  : interior < sys->n_k ? slot->k[interior]
                                        : next->carry[sys->n_components];
        int64_t sample = first_bad_sample(s, k, rows);
        if (sample >= 0) {
            s->error.stage = stage;
            s->error.sample = sample;
            break;
        }
    }
    free(rows);
}
