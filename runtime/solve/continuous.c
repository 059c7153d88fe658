/*
 * continuous.c - the continuous adjoint: a system of its own, integrated backwards by the same loop.
 *
 *   lambda' = -f_u^T lambda, lambda jumps by dL/du at save times;  dL/dp = integral of f_p^T lambda dt
 *
 * Component 0 is lambda.  u(t) comes from dense output of the forward record, or is component 1 (retrace.c).  The integrals
 * are the last components, or are taken by quadrature (quadrature.c).  The sweep stops where lambda jumps and where u is put
 * back, and nowhere else.
 */
#include "solve/solver.h"

/* Of stages at equal times the first has the array. */
void lrnde__share_states(lrnde__run *r, int32_t first, int32_t n)
{
    const double *c = lrnde__method(r->sys, &lrnde__slot_at(r->record, r->record->steps)->past)->external_c;
    for (int32_t i = first; i < first + n; i++) {
        int32_t same = first;
        while (c[same] != c[i]) same++;
        r->external[i] = r->s->adjoint_u[same];
    }
}

/* u at the times of stages [first, first + n). */
static void supply_states(lrnde__run *r, double t, double h, int32_t first, int32_t n)
{
    const double *c = lrnde__method(r->sys, &lrnde__slot_at(r->record, r->record->steps)->past)->external_c;
    lrnde__share_states(r, first, n);
    for (int32_t i = first; i < first + n; i++)
        if (r->external[i] == r->s->adjoint_u[i]) lrnde__state_at(&r->s->forward, t + c[i] * h, r->external[i]);
}

/* The next stop on the way back. */
static int next_stop(const lrnde_solver *s, double *t)
{
    double jump, checkpoint;
    int jumps = lrnde__jump_next(s, &jump), checkpoints = lrnde__retrace_next(s, &checkpoint);
    if (jumps) *t = jump;
    if (checkpoints && (!jumps || (checkpoint - jump) * (s->forward.t - s->forward.t0) > 0)) *t = checkpoint;
    return jumps || checkpoints;
}

/* What happens at a stop: u is put back, then all jumps there. */
static void meet_at(lrnde_solver *s, double t)
{
    void **carry = lrnde__slot_at(&s->adjoint_record, s->adjoint_record.steps)->carry;
    if (s->desc->sensitivity.state) lrnde__retrace_meet(s, t, carry);
    for (double next; lrnde__jump_next(s, &next) && next == t;) {
        lrnde__jump_meet(s);
        s->driver->add(s->device, carry[0], s->jumps.u, 1, 0, s->lanes * s->desc->state);
    }
}

/* From one stop to the next. */
static lrnde_status run_to(lrnde__run *r, double t)
{
    LRNDE_TRY(lrnde__run_to(r, t));
    if (!r->record->keep) return LRNDE_OK;
    lrnde__quadrature_adaptive(r);
    lrnde__record_rewind(r->s, r->record);
    return LRNDE_OK;
}

/* Hands lambda at t0 and the integrals to where the gradient is collected. */
static void collect(lrnde_solver *s)
{
    const lrnde_sensitivity *how = &s->desc->sensitivity;
    void **carry = lrnde__slot_at(&s->adjoint_record, s->adjoint_record.steps)->carry;
    void **integral = how->n_nodes ? s->quadrature.sum : carry + s->desc->adjoint->n_components - how->n_integrals;
    int32_t constant = 0;
    s->driver->copy(s->device, s->cot_initial[0], carry[0], lrnde__sample_bytes(s, s->desc->state));
    for (int32_t i = 0; i < how->n_integrals; i++) {
        int64_t size = how->integrals[i].size;
        if (how->integrals[i].shared)
            s->driver->add(s->device, s->grad, integral[i], 1, 0, size);
        else
            s->driver->add(s->device, s->cot_initial[1 + constant++], integral[i], 1, 0, s->lanes * size);
    }
}

lrnde_status lrnde__sweep_continuous(lrnde_solver *s)
{
    const lrnde_sensitivity *how = &s->desc->sensitivity;
    const lrnde_system_desc *sys = s->desc->adjoint;
    lrnde__run *r = &s->adjoint;
    int segments = how->differences != NULL;
    double t0 = s->forward.t0, t;
    LRNDE_TRY(lrnde__record_open(s, r->record, sys, segments ? LRNDE__KEEP_WHOLE : LRNDE__KEEP_NOTHING, segments, 0));
    for (int32_t i = 0; i < sys->n_carry; i++)
        s->driver->zero(s->device, lrnde__slot_at(r->record, 0)->carry[i], lrnde__array_bytes(s, &sys->carry[i]));
    r->supply = sys->n_external ? supply_states : NULL;
    r->accepted = how->n_nodes && !segments ? lrnde__quadrature_step : NULL;
    r->atol = s->options.adjoint_atol > 0 ? s->options.adjoint_atol : s->options.atol;
    r->rtol = s->options.adjoint_rtol > 0 ? s->options.adjoint_rtol : s->options.rtol;
    if (!(r->atol > 0))
        return lrnde__fail(s, LRNDE_ERR_ARGUMENT,
                           "the adjoint starts at zero, which an absolute tolerance of 0 cannot measure: "
                           "give it one of its own, sensitivity.atol or adjoint_atol");
    lrnde__quadrature_begin(s);
    lrnde__jump_next(s, &t); /* lambda is zero after the last save time */
    lrnde__retrace_begin(s, t);
    meet_at(s, t);
    LRNDE_TRY(lrnde__run_start(r, t, t0, 1));
    while (next_stop(s, &t)) {
        LRNDE_TRY(run_to(r, t));
        meet_at(s, t);
        lrnde__run_restart(r);
    }
    LRNDE_TRY(run_to(r, t0));
    collect(s);
    return how->state ? lrnde__retrace_end(s) : LRNDE_OK;
}
