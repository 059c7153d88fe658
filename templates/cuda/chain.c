/*
 * chain.c - launches of one kernel, put off to become one.
 *
 * A launch of a kernel that has an entry <symbol>_chain waits until something else is queued: if that is a launch of the same
 * kernel, the two are one, and so on.  For a worker's tiles are its own affair: it can take them through one step after
 * another without waiting for others.  So steps of given lengths, those that a sweep takes again, and those that it transposes
 * are a launch for every MOST_CHAINED of them, with one copy of their arguments and one more launch for the sums of all,
 * where a graph of launches would still be two for each.
 *
 * Each step's sums are kept apart until they are added up, in room of the driver's own; where they are long a chain is shorter.
 */
#include "device.h"

#include <string.h>

enum {
    MOST_CHAINED = 64,
    MOST_SUM_BYTES = 1 << 23 /* of a chain of more than one */
};

void lrnde__cuda_end_chain(lrnde_device *d)
{
    lrnde__cuda_chain c = d->chain;
    if (!c.kernel) return;
    d->chain.kernel = NULL;
    CUdeviceptr list = d->ring_copy + c.at;
    CALL(d, cuMemcpyHtoDAsync, list, d->ring + c.at, (size_t)c.n * (size_t)c.stride, d->stream);
    lrnde__cuda_queue(d, &c.kernel->tile, c.workers, (void *[]){&list, &c.n, &c.stride});
    if (c.sums) lrnde__cuda_collect(d, c.sums, c.rows, c.kernel->kernel->n_sums, c.n);
}

/* Where the sums of a chain go: to the driver's room, or, where that is for one at most, to that of the only launch. */
static void place_sums(lrnde_device *d, lrnde__cuda_chain *c, const lrnde_args *args)
{
    const size_t each = (size_t)args->tiles * (size_t)c->kernel->kernel->n_sums * sizeof *c->sums;
    c->rows = args->tiles;
    c->most = each * MOST_CHAINED <= MOST_SUM_BYTES ? MOST_CHAINED : each > MOST_SUM_BYTES ? 1 : (int32_t)(MOST_SUM_BYTES / each);
    if (c->most > 1 && lrnde__cuda_sums_room(d, (size_t)c->most * each)) {
        const size_t fit = d->step_sums_bytes / each;
        c->most = fit > 1 ? (int32_t)fit : 1;
    }
    c->sums = c->most > 1 ? (double *)(uintptr_t)d->step_sums : args->sums;
}

void lrnde__cuda_put_off(lrnde_device *d, const lrnde__cuda_kernel *k, const lrnde_args *args, double *total)
{
    lrnde__cuda_chain *c = &d->chain;
    lrnde_args a = *args;
    const int32_t n_sums = k->kernel->n_sums;
    const int summed = total && n_sums;
    const size_t size =
        (sizeof a + lrnde__cuda_tables_bytes(&k->lengths) + LRNDE__CUDA_ALIGN - 1) / LRNDE__CUDA_ALIGN * LRNDE__CUDA_ALIGN;
    if (c->kernel != k || c->n == c->most || c->workers != a.workers || summed != (c->sums != NULL) ||
        d->used + size > LRNDE__CUDA_RING || d->n_pending == LRNDE__CUDA_PENDING)
        lrnde__cuda_end_chain(d);
    if (!c->kernel) {
        lrnde__cuda_chain begun = {.kernel = k, .most = MOST_CHAINED, .stride = (int32_t)size, .workers = a.workers};
        if (summed) place_sums(d, &begun, args);
        if (d->used + size > LRNDE__CUDA_RING || d->n_pending == LRNDE__CUDA_PENDING) lrnde__cuda_wait(d);
        begun.at = d->used;
        *c = begun;
    }
    if (summed) {
        a.sums = c->sums + c->n * c->rows * n_sums;
        d->pending[d->n_pending++] = (lrnde__cuda_pending){total, n_sums};
    }
    const size_t at = lrnde__cuda_take(d, size);
    lrnde__cuda_move_tables(&k->lengths, &a, d->ring + at + sizeof a, d->ring_copy + at + sizeof a);
    memcpy(d->ring + at, &a, sizeof a);
    c->n++;
}
