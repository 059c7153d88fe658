/*
 * local.c - the one local step that regularization looks at.
 *
 * Where: at a time drawn before the solve (unbiased), or at one of the solve's own points, of which reservoir sampling keeps
 * one as the solve runs (biased); points are the starts of accepted steps but the first, or the save times but the end.
 * What: the accepted step that contains the time, its start and length; or a step from u(t_reg) of the length that a fresh
 * solve would begin with.  Either way the solve hands over u, t and h, and nothing of it is needed afterwards.
 *
 *   reg = R = E |h| or S;  cotangents of the kernel's sums = w dreg/d(sums)
 */
#include "solve/solver.h"

#include "control.h"
#include "io/rng.h"

#include <math.h>

/* One uniform number for each candidate of each training step; number 0 is the unbiased draw. */
static double uniform(const lrnde_solver *s, double count)
{
    return lrnde__uniform(s->options.seed, LRNDE__STREAM_REGULARIZE, (uint32_t)count, (uint64_t)s->step + 1);
}

void lrnde__local_begin(lrnde_solver *s, lrnde__choice choice, double t, double h)
{
    lrnde__local *l = &s->local;
    void *u = l->u, *cot = l->cot;
    *l = (lrnde__local){.choice = choice, .t_reg = t, .given_h = h, .t = NAN, .h = NAN, .E = NAN, .S = NAN, .u = u, .cot = cot};
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

/* Takes the local step at t_reg within the accepted step n. */
static void take(lrnde__run *r, int64_t n, double t_reg)
{
    lrnde_solver *s = r->s;
    lrnde__local *l = &s->local;
    lrnde__slot *slot = lrnde__slot_at(r->record, n);
    int at_start = t_reg == slot->t || (!l->given_h && !s->desc->regularizer.automatic_step);
    l->t_reg = t_reg;
    l->t = at_start ? slot->t : t_reg;
    l->h = slot->h;
    if (at_start)
        s->driver->copy(s->device, l->u, slot->carry[0], lrnde__sample_bytes(s, s->desc->state));
    else
        lrnde__dense(r, n, (t_reg - slot->t) / slot->h, l->u);
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

static lrnde_args local_args(lrnde_solver *s)
{
    lrnde_args a = s->args;
    a.s.t = s->local.t;
    a.s.h = s->local.h;
    a.carry = lrnde__in(&s->local.u);
    return a;
}

lrnde_status lrnde__local_evaluate(lrnde_solver *s)
{
    const lrnde_regularizer_desc *reg = &s->desc->regularizer;
    lrnde__local *l = &s->local;
    double n = lrnde__entries(s, s->desc->forward);
    lrnde_args a = local_args(s);
    if (l->given_h) {
        l->h = l->given_h;
    } else if (reg->automatic_step) {
        a.out = s->forward.f0;
        s->driver->launch(s->device, &s->desc->forward->rhs, &a, NULL);
        LRNDE_TRY(lrnde__first_step(&s->forward, &l->u, s->forward.f0, l->t, s->options.t1, &l->h));
        l->nfe += s->desc->forward->rhs.rhs_evals + s->desc->forward->second.rhs_evals;
    }
    a.s.h = l->h;
    s->driver->launch(s->device, &s->desc->local, &a, l->sums);
    LRNDE_TRY(lrnde__wait(s));
    l->nfe += s->desc->local.rhs_evals;
    l->E = reg->error ? reg->error(l->sums, n) : NAN;
    l->S = reg->stiff ? reg->stiff(l->sums + reg->n_error_sums, n) : NAN;
    l->reg = reg->stiffness ? l->S : l->E * fabs(l->h);
    s->forward.stats.nfe_local = l->nfe;
    return LRNDE_OK;
}

void lrnde__local_gradient(lrnde_solver *s, double w)
{
    const lrnde_regularizer_desc *reg = &s->desc->regularizer;
    double cot_sums[LRNDE_MAX_SUMS] = {0}, n = lrnde__entries(s, s->desc->forward);
    if (reg->stiffness)
        reg->rev_stiff(s->local.sums + reg->n_error_sums, n, w, cot_sums + reg->n_error_sums);
    else
        reg->rev_error(s->local.sums, n, w * fabs(s->local.h), cot_sums);
    lrnde_args a = local_args(s);
    a.cot_sums = cot_sums;
    a.cot_carry = &s->local.cot;
    a.cot_constants = s->cot_initial + 1;
    a.partial = s->partial;
    a.partial_stride = s->partial_stride;
    s->driver->launch(s->device, &s->desc->rev_local, &a, NULL);
}

lrnde_status lrnde_local(lrnde_solver *s, double t, double h, lrnde_local_report *report)
{
    if (!s->desc->local.tile) return lrnde__fail(s, LRNDE_ERR_UNSUPPORTED, "%s has no regularizer", s->desc->name);
    if (!((t - s->options.t0) * (s->options.t1 - t) >= 0))
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT, "t = %.9g lies outside of [%.9g, %.9g]", t, s->options.t0, s->options.t1);
    lrnde__local_begin(s, LRNDE__AT_TIME, t, h);
    LRNDE_TRY(lrnde__solve(s, NULL, 0, NULL, 0, s->options.training));
    LRNDE_TRY(lrnde__local_evaluate(s));
    const lrnde__local *l = &s->local;
    *report =
        (lrnde_local_report){.reg = l->reg, .E = l->E, .S = l->S, .t_reg = l->t_reg, .t = l->t, .h = l->h, .nfe_local = l->nfe};
    return s->options.training ? lrnde__gradient(s, LRNDE__FROM_NOTHING, 0, NULL, 1) : LRNDE_OK;
}
