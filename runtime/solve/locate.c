/*
 * locate.c - after a step or a start that was not finite: which stage, of which sample, was the first.
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

/* Notes stage and sample if the packed state is what is not finite; nonzero if it is. */
static int is_culprit(lrnde_solver *s, const void *state, int32_t stage)
{
    char *rows = malloc((size_t)(s->options.batch * s->desc->state) * (size_t)s->desc->real_bytes);
    int64_t sample = rows ? first_bad_sample(s, state, rows) : -1;
    free(rows);
    if (sample < 0) return 0;
    s->error.stage = stage;
    s->error.sample = sample;
    return 1;
}

void lrnde__locate(lrnde__run *r, int64_t n)
{
    const lrnde_system_desc *sys = r->sys;
    lrnde__slot *slot = lrnde__slot_at(r->record, n), *next = lrnde__slot_at(r->record, n + 1);
    const int32_t kept = sys->n_k + (sys->fsal ? 2 : 0); /* stochastic methods keep no stage */
    for (int32_t stage = 1; stage <= kept; stage++) {
        int32_t interior = stage - 1 - (sys->fsal ? 1 : 0);
        void *k = interior < 0          ? slot->carry[sys->n_components]
                  : interior < sys->n_k ? slot->k[interior]
                                        : next->carry[sys->n_components];
        if (is_culprit(r->s, k, stage)) return;
    }
    is_culprit(r->s, next->carry[0], -1);
}

void lrnde__locate_start(lrnde__run *r, const void *u, const void *f0)
{
    if (!is_culprit(r->s, u, 1)) is_culprit(r->s, f0, 1);
}
