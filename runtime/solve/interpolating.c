/*
 * interpolating.c - the continuous adjoint: a system of its own, integrated backwards by the same loop.
 *
 *   lambda' = -f_u^T lambda,  g' = -f_theta^T lambda,  lambda jumps by dL/du at save times; u(t) by dense output
 *
 * Its components: lambda, the parameter gradient (shared), then the cotangents of constants.  It stops at save times only.
 */
#include "solve/solver.h"

/* u at the times of the stages; stages at equal times share one array. */
static void supply_states(lrnde__run *r, double t, double h, int32_t stages)
{
    const double *c = r->sys->external_c;
    for (int32_t i = 0; i < stages; i++) {
        int32_t same = 0;
        while (c[same] != c[i]) same++;
        r->external[i] = r->s->adjoint_u[same];
        if (same == i) lrnde__state_at(r->s, t + c[i] * h, r->external[i]);
    }
}

/* Hands the components at t0 to where the gradient is collected. */
static void collect(lrnde_solver *s)
{
    const lrnde_system_desc *sys = s->desc->adjoint;
    void **carry = lrnde__slot_at(&s->adjoint_record, s->adjoint_record.steps)->carry;
    int32_t constant = 0;
    s->driver->copy(s->device, s->cot_initial[0], carry[0], lrnde__sample_bytes(s, s->desc->state));
    for (int32_t i = 1; i < sys->n_components; i++) {
        if (sys->carry[i].shared)
            s->driver->add(s->device, s->grad, carry[i], 1, 0, sys->carry[i].size);
        else
            s->driver->add(s->device, s->cot_initial[1 + constant++], carry[i], 1, 0, s->lanes * sys->carry[i].size);
    }
}

/* All jumps at time t. */
static void meet_at(lrnde_solver *s, double t)
{
    lrnde__record *record = &s->adjoint_record;
    for (double next; lrnde__jump_next(s, &next) && next == t;) {
        lrnde__jump_meet(s);
        s->driver->add(s->device, lrnde__slot_at(record, record->steps)->carry[0], s->jumps.u, 1, 0, s->lanes * s->desc->state);
    }
}

lrnde_status lrnde__sweep_interpolating(lrnde_solver *s)
{
    const lrnde_system_desc *sys = s->desc->adjoint;
    lrnde__run *r = &s->adjoint;
    double t0 = lrnde__slot_at(&s->forward_record, 0)->t, t = t0;
    LRNDE_TRY(lrnde__record_open(s, r->record, sys, 0, 0, 0));
    for (int32_t i = 0; i < sys->n_carry; i++)
        s->driver->zero(s->device, lrnde__slot_at(r->record, 0)->carry[i], lrnde__array_bytes(s, &sys->carry[i]));
    lrnde__jump_next(s, &t); /* lambda is zero after the last save time */
    meet_at(s, t);
    r->supply = supply_states;
    LRNDE_TRY(lrnde__run_start(r, t, t0, 1));
    while (lrnde__jump_next(s, &t)) {
        LRNDE_TRY(lrnde__run_to(r, t));
        meet_at(s, t);
        lrnde__run_restart(r);
    }
    LRNDE_TRY(lrnde__run_to(r, t0));
    collect(s);
    return LRNDE_OK;
}
