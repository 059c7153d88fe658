/*
 * discrete.c - the discrete adjoint: the exact gradient of the computed solution, by the transposed steps in reverse order.
 *
 *   cot = 0
 *   for every step, last first:   cot(carry at its end)   += jumps at its end
 *                                 cot, k, carry at start  += transposed dense output of jumps inside
 *                                 cot(u at its end)       += transposed right-hand side of the k1 that a late step left to it
 *                                 cot(carry at its start)  = transposed step
 *   cot(u0) = cot + jumps at t0 + transposed right-hand side of the k1 that FSAL methods start with
 */
#include "solve/solver.h"

static const double zero_sums[LRNDE_MAX_SUMS];

static int32_t stages(const lrnde_system_desc *sys)
{
    return sys->n_k + sys->n_extra;
}

static void add_state(lrnde_solver *s, void *to, const void *from)
{
    s->driver->add(s->device, to, from, 1, 0, s->lanes * s->desc->state);
}

static void add_carry(lrnde_solver *s, void **to, void **from)
{
    const lrnde_system_desc *sys = s->desc->forward;
    for (int32_t i = 0; i < sys->n_carry; i++)
        s->driver->add(s->device, to[i], from[i], 1, 0,
                       sys->carry[i].shared ? sys->carry[i].size : s->lanes * sys->carry[i].size);
}

static void zero_carry(lrnde_solver *s, void **to)
{
    const lrnde_system_desc *sys = s->desc->forward;
    for (int32_t i = 0; i < sys->n_carry; i++) s->driver->zero(s->device, to[i], lrnde__array_bytes(s, &sys->carry[i]));
}

/* Arguments of a reverse kernel over the step in slot n. */
static lrnde_args reverse_args(lrnde_solver *s, int64_t n)
{
    lrnde__record *record = &s->forward_record;
    lrnde__slot *slot = lrnde__slot_at(record, n);
    lrnde_args a = s->args;
    a.s.t = slot->t;
    a.s.h = slot->h;
    lrnde__tell_past(&a, &slot->past);
    a.carry = lrnde__in(slot->carry);
    a.next_in = n < record->steps ? lrnde__in(lrnde__slot_at(record, n + 1)->carry) : NULL;
    a.k_in = lrnde__in(slot->k);
    a.tape_in = slot->tape;
    a.noise = s->forward.noise ? lrnde__in(lrnde__noise_at(&s->forward, n)) : NULL;
    a.cot_next = lrnde__in(s->transposed.cot);
    a.cot_carry = s->transposed.cot_before;
    a.cot_constants = s->cot_initial + 1;
    a.cot_sums = zero_sums;
    a.partial = s->partial;
    a.partial_stride = s->partial_stride;
    return a;
}

/* A jump inside step n: through dense output to both ends and the stages. */
static void meet_inside(lrnde_solver *s, int64_t n, double t)
{
    lrnde__transposed *v = &s->transposed;
    lrnde_args a = reverse_args(s, n);
    lrnde__jump_meet(s);
    a.s.theta = (t - a.s.t) / a.s.h;
    a.in = lrnde__in(&s->jumps.u);
    a.cot_carry = v->dense_carry;
    a.out = v->dense_next;
    s->driver->launch(s->device, &s->desc->forward->rev_dense, &a, NULL);
    add_carry(s, v->sum_carry, v->dense_carry);
    add_carry(s, v->cot, v->dense_next);
    for (int32_t i = 0; i < stages(s->desc->forward); i++)
        add_state(s, v->sum_k[i], v->dense_next[s->desc->forward->n_carry + i]);
}

/* Of the k1 in the carry of slot n, through the right-hand side that made it, to u there. */
static void reverse_derivative(lrnde_solver *s, int64_t n)
{
    lrnde__transposed *v = &s->transposed;
    lrnde_args a = reverse_args(s, n);
    a.cot_next = lrnde__in(v->cot + s->desc->forward->n_components);
    s->driver->launch(s->device, &s->desc->forward->rev_rhs, &a, NULL);
    add_state(s, v->cot[0], v->cot_before[0]);
}

static void step_back(lrnde_solver *s, int64_t n)
{
    lrnde__transposed *v = &s->transposed;
    const lrnde__slot *slot = lrnde__slot_at(&s->forward_record, n);
    const lrnde_system_desc *sys = s->desc->forward, *method = lrnde__method(sys, &slot->past);
    double cot_sums[LRNDE_MAX_SUMS];
    double t, start = slot->t, h = slot->h;
    const lrnde_kernel *kernel = &method->rev_step;
    lrnde__recall(&s->forward, n);
    for (; lrnde__jump_next(s, &t) && (t - start) * h > 0; kernel = &method->rev_step_full) {
        if (kernel == &method->rev_step) {
            zero_carry(s, v->sum_carry);
            for (int32_t i = 0; i < stages(sys); i++)
                s->driver->zero(s->device, v->sum_k[i], lrnde__sample_bytes(s, s->desc->state));
        }
        meet_inside(s, n, t);
    }
    if (method->late) reverse_derivative(s, n + 1);
    lrnde_args a = reverse_args(s, n);
    a.cot_k = lrnde__in(v->sum_k);
    if (s->local.joined && n == s->local.step) {
        kernel = &method->rev_step_local;
        lrnde__local_cotangents(s, cot_sums);
        a.cot_sums = cot_sums;
        a.k_in = lrnde__in(s->local.k);
    }
    s->driver->launch(s->device, kernel, &a, NULL);
    if (kernel == &method->rev_step_full) add_carry(s, v->cot_before, v->sum_carry);
    void **swapped = v->cot;
    v->cot = v->cot_before;
    v->cot_before = swapped;
}

/* Jumps at the start of slot n, which is the end of step n - 1. */
static void meet_at(lrnde_solver *s, int64_t n)
{
    double t;
    while (lrnde__jump_next(s, &t) && t == lrnde__slot_at(&s->forward_record, n)->t) {
        lrnde__jump_meet(s);
        add_state(s, s->transposed.cot[0], s->jumps.u);
    }
}

lrnde_status lrnde__sweep_discrete(lrnde_solver *s)
{
    lrnde__transposed *v = &s->transposed;
    int64_t n = s->forward_record.steps;
    lrnde__run_clock(&s->forward);
    zero_carry(s, v->cot);
    meet_at(s, n);
    while (n-- > 0) {
        const lrnde__slot *slot = lrnde__slot_at(&s->forward_record, n);
        LRNDE_TRY(lrnde__run_in_time(&s->forward, "sweep", slot->t, slot->h));
        step_back(s, n);
        meet_at(s, n);
    }
    if (s->desc->forward->fsal) reverse_derivative(s, 0);
    s->driver->copy(s->device, s->cot_initial[0], v->cot[0], lrnde__sample_bytes(s, s->desc->state));
    return LRNDE_OK;
}
