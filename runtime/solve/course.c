/*
 * course.c - steps that the device takes by itself, many in a launch, where the driver offers that (driver.h).
 *
 * The steps are those that run.c would take.  Who looks at accepted steps looks at them afterwards, in their order: a record
 * that keeps all of every step has what they want to see.  Others have the stages of the last step only, so a launch ends where
 * somebody wants to look.  A record with checkpoints gets the states of all steps of a launch, and decides then what to keep.
 *
 * A course of the adjoint system is given the steps of the forward solution from where it is on that are there: of a record
 * with checkpoints, those between two.  Where they do not last it ends, and the step beyond is taken by itself.
 */
#include "solve/solver.h"

#include "control.h"

#include <math.h>
#include <string.h>

enum {
    SLOTS = 256,  /* steps of a launch that are kept, at most */
    AHEAD = 8,    /* of them, that the record gets memory for if it has less left */
    PATH = 1024,  /* steps of the forward solution that a course of the adjoint is given, at most */
    TRIALS = 1024 /* of a launch: how long a cancellation or the end of time may have to wait */
};

static size_t stages(const lrnde_system_desc *sys)
{
    return (size_t)(sys->n_k + sys->n_extra);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

void lrnde__course_plan(lrnde_solver *s)
{
    const lrnde_system_desc *f = s->desc->forward, *a = s->desc->adjoint ? s->desc->adjoint : f;
    lrnde_course *c = &s->course;
    c->carry = lrnde__host(s, (SLOTS + 1) * larger((size_t)f->n_carry, (size_t)a->n_carry) * sizeof *c->carry);
    c->k = lrnde__host(s, SLOTS * larger(stages(f), stages(a)) * sizeof *c->k);
    c->tape = lrnde__host(s, SLOTS * sizeof *c->tape);
    c->t = lrnde__host(s, TRIALS * sizeof *c->t);
    c->h = lrnde__host(s, TRIALS * sizeof *c->h);
    c->noise = lrnde__host(s, SLOTS * (size_t)f->n_noise * sizeof *c->noise);
    c->sums = lrnde__host(s, TRIALS * larger((size_t)f->n_sums, (size_t)a->n_sums) * sizeof *c->sums);
    if (!s->desc->adjoint || !s->options.training) return;
    c->path_t = lrnde__host(s, PATH * sizeof *c->path_t);
    c->path_h = lrnde__host(s, PATH * sizeof *c->path_h);
    c->path_carry = lrnde__host(s, (PATH + 1) * (size_t)f->n_carry * sizeof *c->path_carry);
    c->path_k = lrnde__host(s, PATH * stages(f) * sizeof *c->path_k);
}

/* Is a rule part of a step? */
static int integrates(const lrnde_solver *s)
{
    return s->desc->sensitivity.n_nodes && !s->desc->sensitivity.differences && s->desc->sensitivity.n_integrals;
}

/* A kernel has no extra stages for the dense output of lambda, and does not start methods that remember steps. */
static int serves(const lrnde__run *r)
{
    const lrnde_solver *s = r->s;
    int adjoint = r == &s->adjoint, starts = lrnde__slot_at(r->record, r->record->steps)->past.steps < r->sys->n_start;
    return s->driver->run && (r == &s->forward || adjoint) && r->sys->finish && !starts &&
           !(adjoint && (r->sys->n_start || (integrates(s) && r->sys->n_extra)));
}

/* Does every step have stages of its own? */
static int keeps_stages(const lrnde__record *record)
{
    return record->keep == LRNDE__KEEP_WHOLE;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many steps the record is ready for: as many as it has memory for from solves before, a few more if that fits. */
static lrnde_status prepare(lrnde__run *r, int32_t *slots)
{
    lrnde_solver *s = r->s;
    lrnde__record *record = r->record;
    LRNDE_TRY(lrnde__record_extend(s, record));
    size_t step = lrnde__pool_group_bytes(&record->carry);
    int64_t left = record->carry.left;
    if (keeps_stages(record) && record->keep_k) step += lrnde__pool_group_bytes(&record->k), left = least(left, record->k.left);
    if (keeps_stages(record) && record->keep_tape)
        step += lrnde__pool_group_bytes(&record->tape), left = least(left, record->tape.left);
    int64_t n = record->ready - record->steps + left;
    if (n < AHEAD && lrnde__fits(s, (size_t)(AHEAD - n) * step)) n = AHEAD;
    *slots = (int32_t)least(n, SLOTS);
    return lrnde__record_ahead(s, record, *slots);
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

/* Tables of the forward solution from r->t back, and what an adjoint course writes beside its slots. */
static void fill_path(lrnde__run *r, lrnde_course *c)
{
    lrnde_solver *s = r->s;
    lrnde__record *forward = &s->forward_record;
    size_t carry = (size_t)s->desc->forward->n_carry, k = stages(s->desc->forward);
    int32_t given = r->sys->fsal ? 1 : 0;
    int64_t end = lrnde__step_at(forward, c->t1), last = lrnde__step_at(forward, r->t);
    lrnde__recall(&s->forward, last);
    int64_t first = lrnde__whole_from(forward, last);
    if (first < end) first = end;
    if (last - first >= PATH) first = last - PATH + 1;
    c->path = (int32_t)(last - first + 1);
    if (first > end) c->reach = forward->slot[first].t;
    for (int32_t i = 0; i < c->path; i++) {
        const lrnde__slot *slot = &forward->slot[first + i];
        lrnde__extra_stages(&s->forward, first + i);
        ((double *)c->path_t)[i] = slot->t, ((double *)c->path_h)[i] = slot->h;
        memcpy((void **)c->path_carry + (size_t)i * carry, slot->carry, carry * sizeof(void *));
        memcpy((void **)c->path_k + (size_t)i * k, slot->k, k * sizeof(void *));
    }
    memcpy((void **)c->path_carry + (size_t)c->path * carry, forward->slot[last + 1].carry, carry * sizeof(void *));
    lrnde__share_states(r, given, r->sys->stages - given);
    c->integrals = integrates(s) ? s->quadrature.sum : NULL;
    c->lambda = s->quadrature.lambda, c->u = s->quadrature.u;
}

/* Step i of the course is the record's next. */
static void take_over(lrnde__run *r, const lrnde_course *c, int32_t i, double end)
{
    int64_t at = r->record->steps;
    lrnde__slot *slot = lrnde__slot_at(r->record, at);
    slot->t = c->t[i];
    slot->h = c->h[i];
    slot->has_extra = 0;
    r->sums = c->sums + (size_t)i * (size_t)r->sys->n_sums;
    lrnde__run_advance(r, end);
    if (r->look) r->accepted(r, at);
}

static void count(lrnde__run *r, const lrnde_course *c, const lrnde_kernel *step)
{
    int64_t n = c->accepted + c->rejected, late = r->sys->late ? c->accepted : 0;
    r->stats.rejected += c->rejected;
    r->stats.nfe += n * (r->noise ? r->sys->step.rhs_evals : r->sys->stages - (r->sys->fsal ? 1 : 0)) + late;
    r->stats.nfe_diffusion += n * step->diffusion_evals;
    r->stats.rhs_calls += n * step->rhs_evals + late * r->sys->rhs.rhs_evals;
    if (c->integrals) r->stats.rhs_calls += c->accepted * r->s->desc->sensitivity.n_nodes * r->sys->integrand.rhs_evals;
}

/* Goes on to `stop`, or part of the way; *went: whether it did. */
lrnde_status lrnde__course_to(lrnde__run *r, double stop, int *went)
{
    lrnde_solver *s = r->s;
    lrnde_course c = s->course;
    *went = 0;
    if (!serves(r)) return LRNDE_OK;
    c.look = keeps_stages(r->record) || !r->look ? stop : r->look(r);
    if (c.look == r->t) return LRNDE_OK;
    double h = lrnde_clip(r->t, r->h, stop, r->shortest);
    LRNDE_TRY(lrnde__run_may_go_on(r, h));
    int64_t left = s->options.max_steps - r->stats.accepted - r->stats.rejected;
    c.most = left < TRIALS ? left : TRIALS;
    c.t1 = stop, c.reach = copysign(INFINITY, h), c.shortest = r->shortest;
    c.now = r->t, c.next = r->h, c.e_old = r->e_old;
    memcpy(c.past, lrnde__slot_at(r->record, r->record->steps)->past.h, sizeof c.past);
    LRNDE_TRY(fill(r, &c));
    if (r->supply) fill_path(r, &c);
    if ((r->t + h - c.reach) * h > 0) return LRNDE_OK;
    if (!r->noise) c.noise = NULL;
    if (r->noise) LRNDE_TRY(lrnde__noise_lend(r, &c));
    if (r->noise && !c.pieces.n_spare) return LRNDE_OK;
    int tape = r->record->keep && r->record->keep_tape;
    if (!tape) c.tape = NULL;
    lrnde_args a = s->args;
    a.s.atol = r->atol, a.s.rtol = r->rtol;
    a.external = lrnde__in(r->external);
    if (!s->driver->run(s->device, r->sys, &a, &c)) return LRNDE_OK;
    if (r->noise) lrnde__noise_take_back(r, &c);
    *went = c.accepted + c.rejected > 0;
    count(r, &c, tape ? &r->sys->step_tape : &r->sys->step);
    r->e_old = c.e_old;
    r->h = r->stats.h = c.next;
    for (int32_t i = 0; i < c.accepted; i++) take_over(r, &c, i, i + 1 < c.accepted ? c.t[i + 1] : c.now);
    if (!isfinite(c.E)) LRNDE_TRY(lrnde__wait(s));
    if (!c.over) return LRNDE_OK;
    lrnde__slot_at(r->record, r->record->steps)->h = c.tried;
    return lrnde__run_give_up(r, c.tried, c.E);
}
