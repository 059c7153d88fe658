/*
 * recall.c - a step of the past, whole again whatever the record kept of it.
 *
 * What is missing is computed again from the checkpoint before it, by the kernel and with the t and h of the first time: to
 * the same bits.  A sweep over single steps takes the way there as an occasion to set free checkpoints anew (revolve.h), and
 * those behind it are free.  A sweep that integrates gets all steps between two checkpoints; it has two such intervals at a
 * time, since a step of it may cross a checkpoint and be rejected.
 */
#include "solve/solver.h"

/* No status: record_close has reserved what this takes. */
static void take_again(lrnde__run *run, int64_t n, int own)
{
    lrnde__record_equip(run->s, run->record, n, own);
    lrnde__take_step(run, n, NULL);
    lrnde__end_step(run, n);
    run->record->again++;
}

static void advance(lrnde__run *run, int64_t from, int64_t to)
{
    for (int64_t n = from; n < to; n++) {
        take_again(run, n, 0);
        lrnde__record_drop(run->record, n);
    }
}

static void forget(lrnde__record *r, lrnde__stretch *stretch)
{
    for (int64_t n = stretch->first; n < stretch->end; n++) {
        if (r->slot[n].k != r->shared_k) lrnde__pool_give(&r->k, r->slot[n].k);
        r->slot[n].k = NULL;
        lrnde__record_drop(r, n);
        lrnde__record_drop(r, n + 1);
    }
    *stretch = (lrnde__stretch){0, 0};
}

/* From the checkpoint before step n to the state before it, new checkpoints on the way. */
static void approach(lrnde__run *run, int64_t n)
{
    lrnde__record *r = run->record;
    for (int64_t from = r->mark[r->marks - 1].n, to; from < n; from = to) {
        int64_t next = from + lrnde__revolve_split(n + 1 - from, r->most - r->marks + 1);
        to = next < n ? next : n;
        advance(run, from, to);
        if (next <= n) lrnde__record_mark(r, next);
    }
}

void lrnde__recall(lrnde__run *run, int64_t n)
{
    lrnde__record *r = run->record;
    lrnde__stretch wanted = {n, n + 1};
    if (r->keep < LRNDE__KEEP_MARKED) return;
    for (int i = 0; i < 2; i++)
        if (n >= r->stretch[i].first && n < r->stretch[i].end) return;
    if (r->keep == LRNDE__KEEP_MARKED) {
        while (r->mark[r->marks - 1].n > n) lrnde__record_unmark(r);
        forget(r, &r->stretch[0]);
        approach(run, n);
    } else {
        forget(r, &r->stretch[1]);
        r->stretch[1] = r->stretch[0];
        while (!r->slot[wanted.first].marked) wanted.first--;
        while (wanted.end < r->steps && !r->slot[wanted.end].marked) wanted.end++;
    }
    for (int64_t i = wanted.first; i < wanted.end; i++) take_again(run, i, r->keep == LRNDE__KEEP_INTERVALS);
    r->stretch[0] = wanted;
}

int64_t lrnde__whole_from(const lrnde__record *r, int64_t n)
{
    if (r->keep < LRNDE__KEEP_MARKED) return 0;
    for (int i = 0; i < 2; i++) /* n is in one; the other may end where that begins */
        for (int j = 0; j < 2; j++)
            if (n > r->stretch[j].first && n <= r->stretch[j].end) n = r->stretch[j].first;
    return n;
}
