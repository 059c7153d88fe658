/*
 * sums.c - sums of launches, added up on the device and written to pinned memory, from where they are handed out after a wait.
 *
 * Launches of the same shape, one after another, put theirs side by side, for one launch to add up all.
 */
#include "device.h"

#include <math.h>

enum { MOST_BYTES = 1 << 23 /* of the sums of more than one launch */ };

int lrnde__cuda_sums_room(lrnde_device *d, size_t bytes)
{
    CUdeviceptr room;
    if (bytes <= d->step_sums_bytes) return 0;
    if (*d->failure || (d->refused && bytes >= d->refused)) return -1;
    if (d->cu->cuMemAlloc(&room, bytes)) {
        d->refused = bytes;
        return -1;
    }
    lrnde__cuda_wait(d);
    if (d->step_sums) d->cu->cuMemFree(d->step_sums);
    d->step_sums = room, d->step_sums_bytes = bytes;
    d->sums.most = 0;
    return *d->failure ? -1 : 0;
}

void lrnde__cuda_end_sums(lrnde_device *d)
{
    lrnde__cuda_sums *s = &d->sums;
    const int first = d->n_pending - s->count;
    const CUdeviceptr to = d->totals_there + (CUdeviceptr)first * LRNDE_MAX_SUMS * sizeof *d->totals;
    if (s->count) LRNDE__CUDA_PUT_OFF(d, &d->model.sums, s->count, {.p = s->sums}, {.n = s->rows}, {.n = s->n}, {.there = to});
    s->count = 0;
}

/* How many launches may put `each` bytes into room of the driver's own. */
static int32_t most_of(lrnde_device *d, size_t each)
{
    const size_t most = each * LRNDE__CUDA_JOINED <= MOST_BYTES ? LRNDE__CUDA_JOINED : MOST_BYTES / each;
    if (most > 1 && lrnde__cuda_sums_room(d, most * each)) return (int32_t)(d->step_sums_bytes / each);
    return (int32_t)most;
}

void lrnde__cuda_begin_sums(lrnde_device *d, double *sums, int64_t rows, int n, int several)
{
    lrnde__cuda_sums *s = &d->sums;
    if (d->n_pending == LRNDE__CUDA_PENDING) lrnde__cuda_wait(d);
    if (s->count == s->most || s->rows != rows || s->n != n || !several) lrnde__cuda_end_sums(d);
    if (s->most > 1 && s->rows == rows && s->n == n && several) return;
    const int32_t most = several ? most_of(d, (size_t)rows * (size_t)n * sizeof *sums) : 1;
    *s = (lrnde__cuda_sums){.sums = sums, .rows = rows, .n = n, .most = 1};
    if (most > 1) s->sums = (double *)(uintptr_t)d->step_sums, s->most = most;
}

double *lrnde__cuda_next_sums(lrnde_device *d, double *total)
{
    lrnde__cuda_sums *s = &d->sums;
    d->pending[d->n_pending++] = (lrnde__cuda_pending){total, s->n};
    return s->sums + s->count++ * s->rows * s->n;
}

void lrnde__cuda_hand_totals(lrnde_device *d, int failed)
{
    for (int row = 0; row < d->n_pending; row++)
        for (int i = 0; i < d->pending[row].n; i++) d->pending[row].total[i] = failed ? NAN : d->totals[row * LRNDE_MAX_SUMS + i];
    d->n_pending = 0;
}
