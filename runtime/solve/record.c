/*
 * record.c - the accepted steps of an integration, kept for the way back.
 *
 * Every step has its slot with t and h.  What it takes much memory to keep comes from three pools: the carry at its start,
 * its stages, its tape.  How much of that stays when the integration moves on is the record's policy:
 *
 *   WHOLE      all of it
 *   MARKED     the carry of some steps, the checkpoints, where reversing step by step wants them (revolve.h)
 *   INTERVALS  the carry of every stride-th step; the stride doubles whenever there would be more than `most` of them
 *
 * Steps may be taken before it is decided about the states between them, as courses do: then those are all there for as long.
 * The step under way and its end are always there; a policy that keeps no stages has one set for all slots.  Without a policy
 * the record is a ring of two slots: a step reads one and writes the other.
 *
 * A ring that is opened again has the memory it had, and what was in it.
 *
 * Pools keep what they have, so that only a solve with more steps than any before allocates; record_close asks for all that
 * recall.c will take, so that nothing fails on the way back.
 */
#include "solve/solver.h"

static lrnde_status describe(lrnde_solver *s, lrnde__record *r)
{
    const lrnde_system_desc *sys = r->sys;
    r->carry = (lrnde__pool){.arrays = sys->n_carry};
    r->k = (lrnde__pool){.arrays = sys->n_k + sys->n_extra};
    r->tape = (lrnde__pool){.arrays = 1};
    lrnde__pool *pools[] = {&r->carry, &r->k, &r->tape};
    for (int i = 0; i < 3; i++)
        if (!(pools[i]->bytes = lrnde__host(s, (size_t)pools[i]->arrays * sizeof(size_t)))) return s->error.status;
    for (int32_t i = 0; i < r->carry.arrays; i++) r->carry.bytes[i] = lrnde__array_bytes(s, &sys->carry[i]);
    for (int32_t i = 0; i < r->k.arrays; i++) r->k.bytes[i] = lrnde__array_bytes(s, &sys->carry[0]);
    r->tape.bytes[0] = lrnde__sample_bytes(s, sys->tape);
    return LRNDE_OK;
}

static lrnde_status grow_slots(lrnde_solver *s, lrnde__record *r, int64_t n)
{
    if (n <= r->room) return LRNDE_OK;
    lrnde__slot *slot = lrnde__grow(s, r->slot, r->room, 2 * n, sizeof *slot);
    if (!slot) return s->error.status;
    r->slot = slot;
    r->room = 2 * n;
    return LRNDE_OK;
}

static lrnde_status grow_marks(lrnde_solver *s, lrnde__record *r, int64_t n)
{
    if (n <= r->mark_room) return LRNDE_OK;
    lrnde__mark *mark = lrnde__grow(s, r->mark, r->mark_room, 2 * n, sizeof *mark);
    if (!mark) return s->error.status;
    r->mark = mark;
    r->mark_room = 2 * n;
    return LRNDE_OK;
}

static int owns_k(const lrnde__record *r)
{
    return r->keep_k && r->keep == LRNDE__KEEP_WHOLE;
}

static int owns_tape(const lrnde__record *r)
{
    return r->keep_tape && r->keep == LRNDE__KEEP_WHOLE;
}

/* What a number of steps known beforehand takes. */
static lrnde_status reserve_whole(lrnde_solver *s, lrnde__record *r, int64_t steps)
{
    LRNDE_TRY(lrnde__pool_reserve(s, &r->carry, steps + 1));
    if (owns_k(r)) LRNDE_TRY(lrnde__pool_reserve(s, &r->k, steps));
    return owns_tape(r) ? lrnde__pool_reserve(s, &r->tape, steps) : LRNDE_OK;
}

lrnde_status lrnde__record_open(lrnde_solver *s, lrnde__record *r, const lrnde_system_desc *sys, lrnde__keep keep, int keep_k,
                                int keep_tape)
{
    r->sys = sys;
    if (!r->carry.bytes) LRNDE_TRY(describe(s, r));
    r->keep = keep, r->keep_k = keep_k, r->keep_tape = keep_tape;
    r->steps = r->ready = r->decided = r->cursor = r->marks = r->again = 0;
    r->stride = keep == LRNDE__KEEP_INTERVALS && r->expected ? (r->expected + r->most - 1) / r->most : 1;
    r->stretch[0] = r->stretch[1] = (lrnde__stretch){0, 0};
    lrnde__pool_reset(&r->carry);
    lrnde__pool_reset(&r->k);
    lrnde__pool_reset(&r->tape);
    LRNDE_TRY(grow_slots(s, r, 2));
    if (keep == LRNDE__KEEP_WHOLE) LRNDE_TRY(reserve_whole(s, r, r->expected));
    r->shared_k = r->shared_tape = NULL;
    if (!owns_k(r) && !(r->shared_k = lrnde__pool_take(s, &r->k))) return s->error.status;
    if (keep_tape && !owns_tape(r) && !(r->shared_tape = lrnde__pool_take(s, &r->tape))) return s->error.status;
    for (int n = 0; n < 2; n++) {
        r->slot[n] = (lrnde__slot){.k = r->shared_k, .tape = r->shared_tape ? *r->shared_tape : NULL};
        if ((n == 0 || !keep) && !(r->slot[n].carry = lrnde__pool_take(s, &r->carry))) return s->error.status;
    }
    return LRNDE_OK;
}

void lrnde__record_empty(lrnde_solver *s, lrnde__record *r)
{
    lrnde__pool_empty(s, &r->carry);
    lrnde__pool_empty(s, &r->k);
    lrnde__pool_empty(s, &r->tape);
}

/* ---- checkpoints ---- */

void lrnde__record_drop(lrnde__record *r, int64_t n)
{
    lrnde__slot *slot = &r->slot[n];
    if (slot->marked || !slot->carry) return;
    lrnde__pool_give(&r->carry, slot->carry);
    slot->carry = NULL;
}

void lrnde__record_mark(lrnde__record *r, int64_t n)
{
    r->mark[r->marks++] = (lrnde__mark){n, 0};
    r->slot[n].marked = 1;
}

static void unmark(lrnde__record *r, int64_t n)
{
    r->slot[n].marked = 0;
    lrnde__record_drop(r, n);
}

void lrnde__record_unmark(lrnde__record *r)
{
    unmark(r, r->mark[--r->marks].n);
}

/* Gives up every other checkpoint. */
static void thin_out(lrnde__record *r)
{
    int64_t marks = r->marks;
    r->marks = 0;
    r->stride *= 2;
    for (int64_t i = 0; i < marks; i++) {
        if (i % 2)
            unmark(r, r->mark[i].n);
        else
            r->mark[r->marks++] = r->mark[i];
    }
}

/* Decides about the state before step n, now that the integration goes on from there. */
static void choose(lrnde__record *r, int64_t n)
{
    int64_t last = r->marks > 0 ? r->mark[r->marks - 1].n : 0;
    if (r->keep == LRNDE__KEEP_INTERVALS) {
        if (n % r->stride == 0 && r->marks == r->most) thin_out(r);
        if (n % r->stride) return;
    } else if (r->expected) {
        if (n > 0 && n < last + lrnde__revolve_split(r->expected - last, r->most - r->marks + 1)) return;
    } else if (r->marks == r->most) {
        if (r->most == 1) return;
        unmark(r, lrnde__revolve_replace(r->mark, r->marks, n));
        r->slot[n].marked = 1;
        return;
    }
    lrnde__record_mark(r, n);
}

/* ---- steps ---- */

/* What step n writes: the carry after it, its stages and tape; of its own or of all. */
lrnde_status lrnde__record_equip(lrnde_solver *s, lrnde__record *r, int64_t n, int own)
{
    lrnde__slot *slot = &r->slot[n], *next = &r->slot[n + 1];
    if (!next->carry && !(next->carry = lrnde__pool_take(s, &r->carry))) return s->error.status;
    slot->k = own && r->keep_k ? lrnde__pool_take(s, &r->k) : r->shared_k;
    if (!slot->k) return s->error.status;
    if (!r->keep_tape) return LRNDE_OK;
    void **tape = own ? lrnde__pool_take(s, &r->tape) : r->shared_tape;
    if (!tape) return s->error.status;
    slot->tape = *tape;
    return LRNDE_OK;
}

lrnde_status lrnde__record_ahead(lrnde_solver *s, lrnde__record *r, int64_t n)
{
    for (; r->ready < r->steps + n; r->ready++) {
        LRNDE_TRY(grow_slots(s, r, r->ready + 2));
        r->slot[r->ready + 1] = (lrnde__slot){0};
        LRNDE_TRY(lrnde__record_equip(s, r, r->ready, r->keep == LRNDE__KEEP_WHOLE));
    }
    return LRNDE_OK;
}

/* Decides about the states before steps up to n, of which there are at least n; the state before each of them goes if it may. */
static lrnde_status decide(lrnde_solver *s, lrnde__record *r, int64_t n)
{
    for (; r->keep != LRNDE__KEEP_WHOLE && r->decided <= n; r->decided++) {
        LRNDE_TRY(grow_marks(s, r, r->marks + 1));
        choose(r, r->decided);
        if (r->decided > 0) lrnde__record_drop(r, r->decided - 1);
    }
    return LRNDE_OK;
}

lrnde_status lrnde__record_extend(lrnde_solver *s, lrnde__record *r)
{
    if (!r->keep) return LRNDE_OK;
    LRNDE_TRY(decide(s, r, r->steps));
    return lrnde__record_ahead(s, r, 1);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* MARKED: the last step is still whole.  INTERVALS: two of them are whole at a time, on the way back. */
lrnde_status lrnde__record_close(lrnde_solver *s, lrnde__record *r)
{
    int64_t n = r->steps;
    if (r->keep) LRNDE_TRY(decide(s, r, n - 1));
    for (int64_t i = n + 1; r->keep > LRNDE__KEEP_WHOLE && i <= r->ready; i++) lrnde__record_drop(r, i);
    if (r->keep == LRNDE__KEEP_MARKED) {
        r->stretch[0] = (lrnde__stretch){n - 1, n};
        LRNDE_TRY(grow_marks(s, r, least(r->most, n)));
        LRNDE_TRY(lrnde__pool_reserve(s, &r->carry, least(r->most + 2, n + 1)));
    } else if (r->keep == LRNDE__KEEP_INTERVALS) {
        if (n > 0) lrnde__record_drop(r, n - 1);
        lrnde__record_drop(r, n);
        LRNDE_TRY(lrnde__pool_reserve(s, &r->carry, least(r->marks + 2 * r->stride, n + 1)));
        LRNDE_TRY(lrnde__pool_reserve(s, &r->k, 1 + least(2 * r->stride, n)));
    }
    lrnde__log(s, "record: %lld steps, %lld checkpoints, %.1f MiB in all", (long long)n, (long long)r->marks,
               (double)s->memory / 0x1p20);
    return LRNDE_OK;
}

void lrnde__record_rewind(lrnde_solver *s, lrnde__record *r)
{
    lrnde__slot *first = lrnde__slot_at(r, 0), *last = lrnde__slot_at(r, r->steps);
    for (int32_t i = 0; r->steps && i < r->sys->n_carry; i++)
        s->driver->copy(s->device, first->carry[i], last->carry[i], lrnde__array_bytes(s, &r->sys->carry[i]));
    first->t = last->t;
    first->past = last->past;
    r->steps = r->cursor = 0;
}
