/*
 * quadrature.c - the integrals of a sensitivity by a rule on [0, 1], once lambda is known.
 *
 *   sum += -length sum_i w_i F(t_i),  F = f_p^T lambda, and what else the integrand kernel has
 *
 * Without an error estimate the rule is applied to every reverse step as it is accepted.  With one, lambda is kept from stop
 * to stop, and pieces of what lies between are halved until the differences of the two rules are within the tolerances.
 */
#include "solve/solver.h"

#include <math.h>

/* One node: from sums so far to sums, in place.  error: what the kernel says of the differences so far, if not NULL. */
static void add_node(lrnde__run *r, double t, double weight, double difference, void **sums, double *error)
{
    lrnde_solver *s = r->s;
    lrnde_args a = s->args;
    lrnde__state_at(&s->forward, t, s->quadrature.u);
    a.s.t = t;
    a.s.weight = weight;
    a.s.difference = difference;
    a.s.atol = r->atol;
    a.s.rtol = r->rtol;
    a.carry = lrnde__in(&s->quadrature.lambda);
    a.external = lrnde__in(&s->quadrature.u);
    a.in = lrnde__in(sums);
    a.out = sums;
    lrnde__launch_for_sums(s, &r->sys->integrand, &a, error);
    r->stats.rhs_calls += r->sys->integrand.rhs_evals;
}

void lrnde__quadrature_begin(lrnde_solver *s)
{
    const lrnde_sensitivity *how = &s->desc->sensitivity;
    for (int32_t i = 0; how->n_nodes && i < how->n_integrals; i++)
        s->driver->zero(s->device, s->quadrature.sum[i], lrnde__array_bytes(s, &how->integrals[i]));
}

void lrnde__quadrature_step(lrnde__run *r, int64_t n)
{
    const lrnde_sensitivity *how = &r->s->desc->sensitivity;
    const lrnde__slot *slot = lrnde__slot_at(r->record, n);
    for (int32_t i = 0; how->n_integrals && i < how->n_nodes; i++) {
        lrnde__dense(r, n, how->nodes[i], r->s->quadrature.lambda);
        add_node(r, slot->t + how->nodes[i] * slot->h, -slot->h * how->weights[i], 0, r->s->quadrature.sum, NULL);
    }
}

/* The sums so far and the piece from t on, into trial; returns the error norm of the piece. */
static double try_piece(lrnde__run *r, double t, double length)
{
    lrnde_solver *s = r->s;
    const lrnde_sensitivity *how = &s->desc->sensitivity;
    double sum = 0, n = 0;
    for (int32_t i = 0; i < how->n_integrals; i++) {
        const lrnde_array_desc *integral = &how->integrals[i];
        size_t bytes = lrnde__array_bytes(s, integral);
        s->driver->copy(s->device, s->quadrature.trial[i], s->quadrature.sum[i], bytes);
        s->driver->zero(s->device, s->quadrature.trial[how->n_integrals + i], bytes);
        n += (double)integral->size * (integral->shared ? 1 : s->options.batch);
    }
    for (int32_t i = 0; i < how->n_nodes; i++) {
        double at = t + how->nodes[i] * length;
        lrnde__state_at(r, at, s->quadrature.lambda);
        double *error = i + 1 < how->n_nodes ? NULL : &sum; /* of all of them */
        add_node(r, at, -length * how->weights[i], -length * how->differences[i], s->quadrature.trial, error);
    }
    return sqrt(sum / n);
}

/*
 * A piece no longer than the step of lambda it ends in is not halved: within a step dense output is a polynomial, and what
 * is left of the error is its own.
 */
void lrnde__quadrature_adaptive(lrnde__run *r)
{
    lrnde_solver *s = r->s;
    const lrnde_sensitivity *how = &s->desc->sensitivity;
    if (!how->n_integrals || !r->record->steps) return;
    double t = lrnde__slot_at(r->record, 0)->t, end = r->t, length = end - t;
    while (t != end) {
        int last = fabs(length) >= fabs(end - t);
        if (last) length = end - t;
        double error = try_piece(r, t, length);
        if (!(error <= 1) && fabs(length) > fabs(lrnde__slot_at(r->record, r->record->cursor)->h)) {
            length /= 2;
            continue;
        }
        for (int32_t i = 0; i < how->n_integrals; i++) {
            void *sum = s->quadrature.sum[i];
            s->quadrature.sum[i] = s->quadrature.trial[i];
            s->quadrature.trial[i] = sum;
        }
        t = last ? end : t + length;
        length *= 2;
    }
}
