/*
 * dense.c - u between the steps of a record, by the method's own interpolant.
 *
 * Methods that need further right-hand sides for it get them once a step, when somebody first asks.
 */
#include "solve/solver.h"

static lrnde_args dense_args(const lrnde__run *r, int64_t n)
{
    const lrnde__slot *slot = lrnde__slot_at(r->record, n);
    lrnde_args a = r->s->args;
    a.s.t = slot->t;
    a.s.h = slot->h;
    a.carry = lrnde__in(slot->carry);
    a.next_in = lrnde__in(lrnde__slot_at(r->record, n + 1)->carry);
    a.k = slot->k;
    a.k_in = lrnde__in(slot->k);
    return a;
}

void lrnde__extra_stages(lrnde__run *r, int64_t n)
{
    lrnde__slot *slot = lrnde__slot_at(r->record, n);
    if (!r->sys->n_extra || slot->has_extra) return;
    if (r->supply) r->supply(r, slot->t, slot->h, r->sys->stages, r->sys->n_extra);
    lrnde_args a = dense_args(r, n);
    a.external = lrnde__in(r->external);
    r->s->driver->launch(r->s->device, &r->sys->extra, &a, NULL);
    r->stats.nfe_dense += r->sys->extra.rhs_evals;
    slot->has_extra = 1;
}

void lrnde__dense(lrnde__run *r, int64_t n, double theta, void *u)
{
    lrnde__extra_stages(r, n);
    lrnde_args a = dense_args(r, n);
    a.s.theta = theta;
    a.out = &u;
    r->s->driver->launch(r->s->device, &r->sys->dense, &a, NULL);
}

int64_t lrnde__step_at(lrnde__record *r, double t)
{
    int64_t n = r->cursor;
    double direction = lrnde__slot_at(r, n)->h;
    while (n + 1 < r->steps && (lrnde__slot_at(r, n + 1)->t - t) * direction <= 0) n++;
    while (n > 0 && (lrnde__slot_at(r, n)->t - t) * direction > 0) n--;
    return r->cursor = n;
}

void lrnde__state_at(lrnde__run *r, double t, void *u)
{
    lrnde__record *record = r->record;
    int64_t n = lrnde__step_at(record, t);
    lrnde__recall(r, n);
    lrnde__dense(r, n, (t - lrnde__slot_at(record, n)->t) / lrnde__slot_at(record, n)->h, u);
}
