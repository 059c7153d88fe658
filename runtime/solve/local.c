/*
 * local.c - the one local step that regularization looks at.
 *
 * Where: at a time drawn before the solve (unbiased), or at one of the solve's own points, of which reservoir sampling keeps
 * one as the solve runs (biased); points are the starts of accepted steps but the first, or the save times but the end.
 * What: the accepted step that contains the time, as the record has it, or a step from u(t_reg), of the length that a fresh
 * solve would begin with, which is taken here; as is a step by another method, from where the accepted one began or from
 * u(t_reg).  Either way the step is read, sums, stages and all, and not repeated.
 *
 *   R_i = estimate_i of the sums, times |h| if it is an error;  the loss gets sum_i w_i R_i
 */
#include "solve/solver.h"

#include "control.h"
#include "io/rng.h"

#include <math.h>
#include <string.h>

/* One uniform number for each candidate of each training step; number 0 is the unbiased draw. */
static double uniform(const lrnde_solver *s, double count)
{
    return lrnde__uniform(s->options.seed, LRNDE__STREAM_REGULARIZE, (uint32_t)count, (uint64_t)s->step + 1);
}

void lrnde__local_begin(lrnde_solver *s, lrnde__choice choice, double t, double h)
{
    lrnde__local *l = &s->local;
    l->choice = choice;
    l->given_h = h;
    l->taken = 0;
    l->count = 0;
    l->step = -1;
    l->t_reg = t;
}

void lrnde__local_draw(lrnde_solver *s)
{
    const lrnde_regularizer_desc *reg = &s->desc->regularizer;
    double t0 = s->options.t0, t1 = s->options.t1;
    switch (reg->sampling) {
    case LRNDE_REG_NONE: lrnde__local_begin(s, LRNDE__NO_LOCAL, NAN, 0); break;
    case LRNDE_REG_UNBIASED: lrnde__local_begin(s, LRNDE__AT_TIME, t0 + (t1 - t0) * uniform(s, 0), 0); break;
    case LRNDE_REG_BIASED: lrnde__local_begin(s, reg->points_saveat ? LRNDE__OF_SAVES : LRNDE__OF_STEPS, t0, 0); break;
    }
}

static void copy_state(lrnde_solver *s, void *to, const void *from)
{
    s->driver->copy(s->device, to, from, lrnde__sample_bytes(s, s->desc->state));
}

/*
 * Keeps hold of the accepted step n.  Its ends stay where they are if the record keeps all steps whole, and so do stages of
 * its own; stages that the next step would overwrite change places with ours.
 */
static void hold(lrnde__run *r, int64_t n)
{
    lrnde_solver *s = r->s;
    const lrnde_system_desc *sys = r->sys;
    lrnde__local *l = &s->local;
    lrnde__slot *slot = lrnde__slot_at(r->record, n), *next = lrnde__slot_at(r->record, n + 1);
    lrnde__slot *own = &l->record.slot[0], *own_next = &l->record.slot[1];
    l->t = slot->t;
    l->h = slot->h;
    l->past = slot->past;
    l->sys = lrnde__method(sys, &slot->past);
    lrnde__run_sums(r, l->sums);
    if (l->step == n) return; /* several candidates lie in one step */
    l->step = n;
    l->carry = slot->carry, l->next = next->carry, l->k = slot->k;
    for (int32_t i = 0; !r->record->keep && i < sys->n_noise; i++)
        copy_state(s, lrnde__noise_at(&l->run, 0)[i], lrnde__noise_at(r, n)[i]);
    if (r->record->keep != LRNDE__KEEP_WHOLE) {
        for (int32_t i = 0; i < sys->n_carry; i++) {
            copy_state(s, own->carry[i], slot->carry[i]);
            copy_state(s, own_next->carry[i], next->carry[i]);
        }
        for (int32_t i = 0; i < sys->n_k; i++) copy_state(s, own->k[i], slot->k[i]);
        l->carry = own->carry, l->next = own_next->carry, l->k = own->k;
    } else if (!r->record->keep_k) {
        for (int32_t i = 0; i < sys->n_k; i++) {
            void *stage = slot->k[i];
            slot->k[i] = own->k[i];
            own->k[i] = stage;
        }
        l->k = own->k;
    }
}

/* Takes the local step at t_reg within the accepted step n. */
static void take(lrnde__run *r, int64_t n, double t_reg)
{
    lrnde_solver *s = r->s;
    lrnde__local *l = &s->local;
    lrnde__slot *slot = lrnde__slot_at(r->record, n);
    void *u = l->record.slot[0].carry[0];
    int accepted = !l->given_h && !s->desc->regularizer.automatic_step;
    l->t_reg = t_reg;
    if (accepted && l->run.sys == r->sys) {
        hold(r, n);
        return;
    }
    l->t = accepted ? slot->t : t_reg;
    l->own_h = accepted ? slot->h : l->given_h;
    if (l->t == slot->t)
        copy_state(s, u, slot->carry[0]);
    else
        lrnde__dense(r, n, (t_reg - slot->t) / slot->h, u);
}

/* A candidate of the reservoir.  The very start is there for want of another, unless the model asks for it. */
static void offer(lrnde__run *r, int64_t n, double t)
{
    lrnde__local *l = &r->s->local;
    int is_start = n == 0 && t == lrnde__slot_at(r->record, n)->t;
    if (!is_start || r->s->desc->regularizer.include_start) l->count++;
    if (l->count == 0 || lrnde_reservoir_takes(uniform(r->s, l->count), l->count)) take(r, n, t);
}

void lrnde__local_step(lrnde__run *r, int64_t n)
{
    lrnde_solver *s = r->s;
    lrnde__local *l = &s->local;
    lrnde__slot *slot = lrnde__slot_at(r->record, n), *next = lrnde__slot_at(r->record, n + 1);
    switch (l->choice) {
    case LRNDE__NO_LOCAL: break;
    case LRNDE__AT_TIME:
        if (!l->taken && ((next->t - l->t_reg) * slot->h > 0 || next->t == s->options.t1)) {
            take(r, n, l->t_reg);
            l->taken = 1;
        }
        break;
    case LRNDE__OF_STEPS: offer(r, n, slot->t); break;
    case LRNDE__OF_SAVES:
        if (n == 0) take(r, n, slot->t);
        for (int64_t i = 0; i < s->saves.n; i++)
            if ((s->saves.t[i] - slot->t) * slot->h >= 0 && (next->t - s->saves.t[i]) * slot->h > 0) offer(r, n, s->saves.t[i]);
        break;
    }
}

/* A step from u(t), of the length asked for or of the automatic one. */
static lrnde_status take_own(lrnde_solver *s)
{
    lrnde__local *l = &s->local;
    LRNDE_TRY(lrnde__record_open(s, &l->record, l->run.sys, 0, 0, 0));
    l->run.atol = s->options.atol;
    l->run.rtol = s->options.rtol;
    LRNDE_TRY(lrnde__run_start(&l->run, l->t, s->options.t1, !l->own_h));
    double h = l->own_h ? l->own_h : l->run.h;
    LRNDE_TRY(lrnde__run_mesh(&l->run, (double[]){l->t, l->t + h}, 2));
    lrnde__slot *slot = &l->record.slot[0];
    l->h = slot->h;
    l->past = slot->past;
    l->sys = lrnde__method(l->run.sys, &slot->past);
    l->carry = slot->carry, l->next = l->record.slot[1].carry, l->k = slot->k;
    lrnde__run_sums(&l->run, l->sums);
    s->forward.stats.nfe_local = l->run.stats.nfe;
    return LRNDE_OK;
}

/* Its increments: where the solve keeps them, or ours. */
static void **noise_of(const lrnde_solver *s)
{
    const lrnde__local *l = &s->local;
    return l->step >= 0 && s->forward_record.keep ? lrnde__noise_at(&s->forward, l->step) : lrnde__noise_at(&l->run, 0);
}

static lrnde_args local_args(const lrnde_solver *s)
{
    lrnde_args a = s->args;
    a.s.t = s->local.t;
    a.s.h = s->local.h;
    lrnde__tell_past(&a, &s->local.past);
    a.carry = lrnde__in(s->local.carry);
    a.next_in = lrnde__in(s->local.next);
    a.k_in = lrnde__in(s->local.k);
    if (s->forward.noise) a.noise = lrnde__in(noise_of(s));
    return a;
}

lrnde_status lrnde__local_evaluate(lrnde_solver *s)
{
    const lrnde_regularizer_desc *reg = &s->desc->regularizer;
    lrnde__local *l = &s->local;
    if (l->step < 0) LRNDE_TRY(take_own(s));
    double n = lrnde__entries(s, l->sys);
    if (l->sys->local.tile) {
        lrnde_args a = local_args(s);
        s->driver->launch(s->device, &l->sys->local, &a, l->sums + l->sys->n_sums);
        LRNDE_TRY(lrnde__wait(s));
    }
    l->E = l->sys->finish(l->sums, n);
    for (int32_t i = 0; i < reg->n_terms; i++) {
        const lrnde_regularizer_term *term = &reg->terms[i];
        l->R[i] = term->estimate(l->sums + term->first_sum, n) * (term->times_h ? fabs(l->h) : 1);
    }
    return LRNDE_OK;
}

double lrnde__local_sum(const lrnde_solver *s)
{
    double sum = 0;
    for (int32_t i = 0; i < s->desc->regularizer.n_terms; i++) sum += s->local.w[i] * s->local.R[i];
    return sum;
}

/* cot_sums = d(sum of w R)/d(sums of the local step) */
void lrnde__local_cotangents(const lrnde_solver *s, double *cot_sums)
{
    const lrnde_regularizer_desc *reg = &s->desc->regularizer;
    const lrnde__local *l = &s->local;
    double n = lrnde__entries(s, l->sys);
    memset(cot_sums, 0, LRNDE_MAX_SUMS * sizeof *cot_sums);
    for (int32_t i = 0; i < reg->n_terms; i++) {
        const lrnde_regularizer_term *term = &reg->terms[i];
        double cot[LRNDE_MAX_SUMS] = {0};
        term->rev_estimate(l->sums + term->first_sum, n, l->w[i] * (term->times_h ? fabs(l->h) : 1), cot);
        for (int32_t q = term->first_sum; q < LRNDE_MAX_SUMS; q++) cot_sums[q] += cot[q - term->first_sum];
    }
}

/* Can a sweep do it on its way?  It must pass that step with its tape, and meet no save time inside. */
int lrnde__local_joins(const lrnde_solver *s)
{
    const lrnde__local *l = &s->local;
    if (l->step < 0 || !l->sys->rev_step_local.tile) return 0;
    double end = lrnde__slot_at(&s->forward_record, l->step + 1)->t;
    for (int64_t i = 0; i < s->saves.n; i++)
        if ((s->saves.t[i] - l->t) * l->h > 0 && (end - s->saves.t[i]) * l->h > 0) return 0;
    return 1;
}

/* How many states its gradient reaches: u at its start, and those of the steps before that it remembers. */
int32_t lrnde__local_states(const lrnde_solver *s)
{
    const lrnde_system_desc *forward = s->desc->forward;
    if (s->desc->regularizer.gradient != LRNDE_TOTAL) return 0;
    return 1 + (s->local.sys == forward && forward->past_states ? forward->n_start : 0);
}

void lrnde__local_gradient(lrnde_solver *s)
{
    double cot_sums[LRNDE_MAX_SUMS];
    lrnde__local_cotangents(s, cot_sums);
    lrnde_args a = local_args(s);
    a.cot_sums = cot_sums;
    a.cot_carry = s->local.cot;
    a.cot_constants = s->cot_initial + 1;
    a.partial = s->partial;
    a.partial_stride = s->partial_stride;
    s->driver->launch(s->device, &s->local.sys->rev_local, &a, NULL);
}

lrnde_status lrnde_local(lrnde_solver *s, double t, double h, lrnde_local_report *report)
{
    lrnde__local *l = &s->local;
    if (!s->desc->regularizer.n_terms) return lrnde__fail(s, LRNDE_ERR_UNSUPPORTED, "%s has no regularizer", s->desc->name);
    if (!((t - s->options.t0) * (s->options.t1 - t) >= 0))
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "t = %.9g lies outside of [%.9g, %.9g]", t, s->options.t0, s->options.t1);
    lrnde__local_begin(s, LRNDE__AT_TIME, t, h);
    LRNDE_TRY(lrnde__solve(s, NULL, 0, NULL, 0, s->options.training));
    LRNDE_TRY(lrnde__local_evaluate(s));
    for (int32_t i = 0; i < LRNDE_MAX_TERMS; i++) l->w[i] = 1;
    *report = (lrnde_local_report){.reg = lrnde__local_sum(s), .E = l->E, .t_reg = l->t_reg, .t = l->t, .h = l->h};
    memcpy(report->terms, l->R, sizeof report->terms);
    report->nfe_local = s->forward.stats.nfe_local;
    lrnde_status status = s->options.training ? lrnde__gradient(s, LRNDE__FROM_NOTHING, 0, NULL, 1) : LRNDE_OK;
    return status && lrnde__store_less(s) ? lrnde_local(s, t, h, report) : status; /* the sweep's own record did not fit */
}
