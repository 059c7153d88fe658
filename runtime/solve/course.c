/*
 * course.c - steps that the device takes by itself, many in a launch, where the driver offers that (driver.h).
 *
 * The steps are those that run.c would take.  Who looks at accepted steps looks at them afterwards, in their order: a record
 * that keeps all of every step has what they want to see.  A ring has the last step only, so a launch ends where somebody
 * wants to look.  Other records decide at every step what to keep, and get their steps one by one.
 */
#include "solve/solver.h"

#include "control.h"

#include <math.h>
#include <string.h>

enum {
    SLOTS = 256,  /* steps of a launch that are kept, at most */
    AHEAD = 8,    /* of them, that the record gets memory for if it has none left */
    TRIALS = 1024 /* of a launch: how long a cancellation or the end of time may have to wait */
};

void lrnde__course_plan(lrnde_solver *s)
{
    const lrnde_system_desc *sys = s->desc->forward;
    lrnde_course *c = &s->course;
    c->carry = lrnde__host(s, (size_t)(SLOTS + 1) * (size_t)sys->n_carry * sizeof *c->carry);
    c->k = lrnde__host(s, (size_t)SLOTS * (size_t)(sys->n_k + sys->n_extra) * sizeof *c->k);
    c->tape = lrnde__host(s, SLOTS * sizeof *c->tape);
    c->t = lrnde__host(s, SLOTS * sizeof *c->t);
    c->h = lrnde__host(s, SLOTS * sizeof *c->h);
    c->sums = lrnde__host(s, (size_t)SLOTS * (size_t)sys->n_sums * sizeof *c->sums);
}

static int serves(const lrnde__run *r)
{
    int keep = r->record->keep;
    return r->s->driver->run && r == &r->s->forward && r->sys->finish && !r->sys->n_start && !r->sys->late && !r->noise &&
           (keep == LRNDE__KEEP_WHOLE || keep == LRNDE__KEEP_NOTHING);
}

/* How many steps the record is ready for: as many as it has memory for from solves before, a few more if that fits. */
static lrnde_status prepare(lrnde__run *r, int32_t *slots)
{
    lrnde_solver *s = r->s;
    lrnde__record *record = r->record;
    size_t step = lrnde__pool_group_bytes(&record->carry) + (record->keep_k ? lrnde__pool_group_bytes(&record->k) : 0) +
                  (record->keep_tape ? lrnde__pool_group_bytes(&record->tape) : 0);
    int64_t n = record->carry.groups - 1, more = lrnde__fits(s, AHEAD * step) ? AHEAD : 1;
    if (record->keep_k && record->k.groups < n) n = record->k.groups;
    if (record->keep_tape && record->tape.groups < n) n = record->tape.groups;
    n -= record->steps;
    if (n < more) n = more;
    if (n > SLOTS) n = SLOTS;
    *slots = (int32_t)n;
    return lrnde__record_ahead(s, record, n);
}

/* Tables of the slots from the step under way on, or of the ring. */
static lrnde_status fill(lrnde__run *r, lrnde_course *c)
{
    const lrnde__record *record = r->record;
    size_t carry = (size_t)r->sys->n_carry, k = (size_t)(r->sys->n_k + r->sys->n_extra);
    c->ring = !record->keep;
    c->slots = 2;
    if (!c->ring) LRNDE_TRY(prepare(r, &c->slots));
    int64_t first = c->ring ? 0 : record->steps;
    c->slot = c->ring ? (int32_t)(record->steps & 1) : 0;
    for (int32_t i = 0; i < c->slots + !c->ring; i++)
        memcpy((void **)c->carry + (size_t)i * carry, record->slot[first + i].carry, carry * sizeof(void *));
    for (int32_t i = 0; i < c->slots; i++) {
        memcpy((void **)c->k + (size_t)i * k, record->slot[first + i].k, k * sizeof(void *));
        ((void **)c->tape)[i] = record->slot[first + i].tape;
    }
    return LRNDE_OK;
}

/* Step i of the course is the record's next. */
static void take_over(lrnde__run *r, const lrnde_course *c, int32_t i, double end)
{
    lrnde__slot *slot = lrnde__slot_at(r->record, r->record->steps);
    int32_t n = r->sys->n_sums;
    slot->t = c->t[i];
    slot->h = c->h[i];
    slot->has_extra = 0;
    memcpy(slot->sums, c->sums + (size_t)i * (size_t)n, (size_t)n * sizeof *slot->sums);
    lrnde__run_accept(r, end);
}

static void count(lrnde__run *r, const lrnde_course *c, const lrnde_kernel *step)
{
    int64_t n = c->accepted + c->rejected;
    r->stats.rejected += c->rejected;
    r->stats.nfe += n * (r->sys->stages - (r->sys->fsal ? 1 : 0));
    r->stats.rhs_calls += n * step->rhs_evals;
}

/* The steps of a launch, of which a ring has the last. */
static void replay(lrnde__run *r, const lrnde_course *c)
{
    if (c->ring && c->accepted > 0) {
        r->record->steps += c->accepted - 1;
        r->stats.accepted += c->accepted - 1;
        take_over(r, c, 1 - c->slot, c->now);
    }
    for (int32_t i = 0; !c->ring && i < c->accepted; i++) take_over(r, c, i, i + 1 < c->accepted ? c->t[i + 1] : c->now);
}

/* Goes on to `stop`, or part of the way; *went: whether it did. */
lrnde_status lrnde__course_to(lrnde__run *r, double stop, int *went)
{
    lrnde_solver *s = r->s;
    lrnde_course c = s->course;
    *went = 0;
    if (!serves(r)) return LRNDE_OK;
    c.look = r->record->keep ? stop : r->look(r);
    if (c.look == r->t) return LRNDE_OK;
    LRNDE_TRY(lrnde__run_may_go_on(r, lrnde_clip(r->t, r->h, stop, r->shortest)));
    int64_t left = s->options.max_steps - r->stats.accepted - r->stats.rejected;
    c.most = left < TRIALS ? left : TRIALS;
    c.t1 = stop, c.shortest = r->shortest;
    c.now = r->t, c.next = r->h, c.e_old = r->e_old;
    LRNDE_TRY(fill(r, &c));
    int tape = r->record->keep && r->record->keep_tape;
    if (!tape) c.tape = NULL;
    lrnde_args a = s->args;
    a.s.atol = r->atol, a.s.rtol = r->rtol;
    if (!s->driver->run(s->device, &a, &c)) return LRNDE_OK;
    *went = c.accepted + c.rejected > 0;
    count(r, &c, tape ? &r->sys->step_tape : &r->sys->step);
    r->e_old = c.e_old;
    r->h = r->stats.h = c.next;
    replay(r, &c);
    if (!isfinite(c.E)) LRNDE_TRY(lrnde__wait(s));
    if (!c.over) return LRNDE_OK;
    lrnde__slot_at(r->record, r->record->steps)->h = c.tried;
    return lrnde__run_give_up(r, c.tried, c.E);
}
