/*
 * store.c - what the record keeps of a solve for the way back: the model's choice, or less when memory is limited.
 *
 * A solve that does not fit is begun again with the next policy, fastest first; what fits once is kept to.
 *
 *   discrete     stages, every state, as many checkpoints as fit
 *   continuous   stages, checkpoints: their number is the one that takes the least for as many steps as there are, since all
 *                take every step again just once
 */
#include "solve/solver.h"

#include <math.h>

lrnde__keep lrnde__store_keep(lrnde_solver *s)
{
    s->forward_record.most = s->store == LRNDE_STORE_CHECKPOINTS ? s->checkpoints : INT32_MAX;
    if (s->store == LRNDE_STORE_STAGES) return LRNDE__KEEP_WHOLE;
    return s->desc->adjoint ? LRNDE__KEEP_INTERVALS : LRNDE__KEEP_MARKED;
}

/* Steps of the whole solve, from as much of it as there is. */
static int64_t expected_steps(const lrnde_solver *s)
{
    const lrnde__record *r = &s->forward_record;
    double t0 = r->slot[0].t, done = (s->forward.t - t0) / (s->options.t1 - t0);
    if (r->expected) return r->expected;
    if (!(done > 0)) return r->steps + 1;
    double steps = ceil((double)r->steps / done);
    return steps < INT32_MAX ? (int64_t)steps : INT32_MAX;
}

/* The stride between checkpoints for which n steps take least memory, and how much that is: see record_close. */
static int64_t best_stride(const lrnde__record *r, int64_t n, double *bytes)
{
    double carry = (double)lrnde__pool_group_bytes(&r->carry), k = (double)lrnde__pool_group_bytes(&r->k);
    int64_t best = 1;
    *bytes = INFINITY;
    for (int64_t stride = 1; stride < 2 * n; stride *= 2) {
        double checkpoints = ceil((double)n / (double)stride), whole = fmin(2 * (double)stride, (double)n);
        double needed = fmin(checkpoints + 2 * (double)stride, (double)n + 1) * carry + (whole + 1) * k;
        if (needed < *bytes) *bytes = needed, best = stride;
    }
    return best;
}

/* The number of checkpoints to try next, 0: there is none; and what the least takes. */
static int64_t checkpoints_that_fit(lrnde_solver *s, double room, double *bytes)
{
    const lrnde__record *r = &s->forward_record;
    double carry = (double)lrnde__pool_group_bytes(&r->carry);
    if (!s->desc->adjoint) {
        double one = (double)lrnde__pool_group_bytes(&r->k) + r->keep_tape * (double)lrnde__pool_group_bytes(&r->tape);
        double most = floor((room - one) / carry) - 2;
        *bytes = one + 3 * carry;
        int64_t checkpoints = most < INT32_MAX ? (int64_t)most : INT32_MAX;
        int again = s->store == LRNDE_STORE_CHECKPOINTS && checkpoints >= s->checkpoints; /* noise grew besides */
        return again ? s->checkpoints / 2 : checkpoints;
    }
    int64_t n = expected_steps(s);
    if (n <= s->planned_steps) n = s->planned_steps + s->planned_steps / 4 + 1; /* the last estimate was too low */
    s->planned_steps = n;
    int64_t stride = best_stride(r, n, bytes);
    return *bytes <= room ? (n + stride - 1) / stride : 0;
}

/* Gives back what a record grew to; what every solve needs stays. */
static void empty_ring(lrnde_solver *s, lrnde__record *r)
{
    lrnde__record_empty(s, r);
    lrnde__record_open(s, r, r->sys, LRNDE__KEEP_NOTHING, 0, 0);
}

int lrnde__store_less(lrnde_solver *s)
{
    size_t limit = s->options.memory_limit;
    double bytes = 0;
    if (s->desc->sensitivity.state) return 0;
    if (!limit || s->error.status != LRNDE_ERR_MEMORY || !s->forward_record.slot) return 0;
    lrnde__record_empty(s, &s->forward_record);
    s->recorded = 0;
    if (s->desc->adjoint) empty_ring(s, &s->adjoint_record);
    if (s->local.record.sys) empty_ring(s, &s->local.record); /* it changes stages with the solve's: see local.c */
    if (s->store == LRNDE_STORE_STAGES && !s->desc->adjoint) {
        s->store = LRNDE_STORE_STATE;
    } else {
        int64_t checkpoints = checkpoints_that_fit(s, (double)(limit - s->memory), &bytes);
        if (checkpoints < 1) {
            if ((double)s->memory + bytes > (double)limit)
                lrnde__fail(s, LRNDE_ERR_MEMORY,
                            "memory limit: with checkpoints a gradient needs %.4g MiB, the limit is %.4g MiB",
                            ((double)s->memory + bytes) / 0x1p20, (double)limit / 0x1p20);
            return 0;
        }
        s->store = LRNDE_STORE_CHECKPOINTS;
        s->checkpoints = checkpoints;
    }
    lrnde__log(s, "memory limit: the solve is begun again, keeping %s", lrnde_store_text(s->store));
    return 1;
}

const char *lrnde_store_text(lrnde_store store)
{
    static const char *const text[] = {
#define LRNDE_X(name, text) text,
        LRNDE_STORES(LRNDE_X)
#undef LRNDE_X
    };
    size_t i = (size_t)store;
    return i < sizeof text / sizeof *text ? text[i] : "unknown";
}

lrnde_storage lrnde_storage_of(const lrnde_solver *s)
{
    return (lrnde_storage){.store = s->store,
                           .reduced =
                               s->store != s->desc->sensitivity.store || s->checkpoints != s->desc->sensitivity.checkpoints,
                           .checkpoints = s->store == LRNDE_STORE_CHECKPOINTS ? s->checkpoints : 0,
                           .recomputed = s->forward_record.again,
                           .sweep_steps = s->adjoint.stats.accepted,
                           .peak = s->peak};
}
