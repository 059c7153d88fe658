/*
 * run.c - one integration: trial steps, and the controller that decides on them.
 *
 *   start    the derivative at t0 (which FSAL methods carry), the automatic first step
 *   to       steps that end exactly at a time: adaptive ones, h being what the controller proposed, clipped or not; or, if
 *            options.h says so, fixed ones
 *   restart  the state was changed from outside: the derivative is taken anew, the step size is kept, the past is void
 *
 * Adaptive steps are the device's own affair where the driver offers that: see course.c.  Steps of given lengths: given.c.
 *
 * A trial step reads the current slot of the record and writes the next one; accepting it is moving on by one slot.
 */
#include "solve/solver.h"

#include "control.h"

#include <string.h>
#include <time.h>

static double wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void lrnde__run_clock(lrnde__run *r)
{
    r->deadline = wall_clock() + r->s->options.time_limit_s;
}

double lrnde__entries(const lrnde_solver *s, const lrnde_system_desc *sys)
{
    double n = 0;
    for (int32_t i = 0; i < sys->n_controlled; i++)
        n += (double)sys->carry[i].size * (sys->carry[i].shared ? 1 : s->options.batch);
    return n;
}

/* Evaluations before the first step: those that ran, and nfe as OrdinaryDiffEq counts them; StochasticDiffEq counts what ran. */
static void count(lrnde__run *r, const lrnde_kernel *kernel, int64_t nfe)
{
    r->stats.nfe += r->noise ? kernel->rhs_evals : nfe;
    r->stats.rhs_calls += kernel->rhs_evals;
    r->stats.nfe_diffusion += kernel->diffusion_evals;
}

/* f(t, u) of slot n. */
static void derive(lrnde__run *r, int64_t n, void **f)
{
    const lrnde__slot *slot = lrnde__slot_at(r->record, n);
    if (r->supply) r->supply(r, slot->t, 0, 0, 1);
    lrnde_args a = r->s->args;
    a.s.t = slot->t;
    a.carry = lrnde__in(slot->carry);
    a.external = lrnde__in(r->external);
    a.out = f;
    r->s->driver->launch(r->s->device, &r->sys->rhs, &a, NULL);
}

/* The place of f(t, u) in the carry of slot n, of FSAL methods. */
static void **carried_f(const lrnde__run *r, int64_t n)
{
    return lrnde__slot_at(r->record, n)->carry + r->sys->n_components;
}

lrnde_status lrnde__run_start(lrnde__run *r, double t0, double t1, int automatic)
{
    lrnde__slot *slot = lrnde__slot_at(r->record, 0);
    void **f0 = r->sys->fsal ? carried_f(r, 0) : r->f0;
    r->t = r->t0 = slot->t = t0;
    slot->past = (lrnde__past){0};
    r->unseen = 0;
    r->shortest = lrnde_shortest(t0, t1);
    r->e_old = LRNDE_E_OLD;
    lrnde__run_clock(r);
    r->stats = (lrnde_stats){.t = t0};
    automatic = automatic && r->s->options.h == 0;
    if (automatic && !r->sys->finish)
        return lrnde__fail(r->s, LRNDE_ERR_UNSUPPORTED, "%s has no error estimate: it needs fixed steps (solver.h) or a mesh",
                           r->s->desc->method);
    if (r->noise) LRNDE_TRY(lrnde__noise_begin(r, automatic));
    if (automatic || r->sys->fsal) {
        derive(r, 0, f0);
        count(r, &r->sys->rhs, 1);
    }
    r->h = r->s->options.h != 0 ? copysign(r->s->options.h, t1 - t0) : 0;
    if (automatic) {
        LRNDE_TRY(lrnde__first_step(r, slot->carry, f0, t0, t1, &r->h));
        count(r, &r->sys->second, 2);
    }
    r->stats.first_h = r->stats.h = r->h;
    return LRNDE_OK;
}

void lrnde__run_restart(lrnde__run *r)
{
    int64_t n = r->record->steps;
    lrnde__slot_at(r->record, n)->past = (lrnde__past){0};
    if (!r->sys->fsal) return;
    derive(r, n, carried_f(r, n));
    count(r, &r->sys->rhs, 1);
}

lrnde_status lrnde__run_in_time(const lrnde__run *r, const char *what, double t, double h)
{
    const lrnde_options *o = &r->s->options;
    if (wall_clock() > r->deadline)
        return lrnde__fail_at(r->s, LRNDE_ERR_TIME_LIMIT, t, h, "%s: %g s are over: t = %.9g, h = %.3g", what, o->time_limit_s, t,
                              h);
    if (o->cancel && o->cancel(o->user))
        return lrnde__fail_at(r->s, LRNDE_ERR_CANCELLED, t, h, "%s: cancelled at t = %.9g", what, t);
    return LRNDE_OK;
}

/* Nothing runs for ever. */
lrnde_status lrnde__run_may_go_on(const lrnde__run *r, double h)
{
    int64_t most = r->s->options.max_steps;
    if (r->stats.accepted + r->stats.rejected >= most)
        return lrnde__fail_at(r->s, LRNDE_ERR_STEP_LIMIT, r->t, h, "%s: %lld steps are not enough: t = %.9g, h = %.3g", r->what,
                              (long long)most, r->t, h);
    return lrnde__run_in_time(r, r->what, r->t, h);
}

void lrnde__take_step(lrnde__run *r, int64_t n, double *sums)
{
    lrnde_solver *s = r->s;
    lrnde__slot *slot = lrnde__slot_at(r->record, n), *next = lrnde__slot_at(r->record, n + 1);
    const lrnde_system_desc *method = lrnde__method(r->sys, &slot->past);
    int taped = r->record->keep && r->record->keep_tape && method->step_tape.tile;
    const lrnde_kernel *step = taped ? &method->step_tape : &method->step;
    lrnde_args a = s->args;
    a.s.t = slot->t;
    a.s.h = slot->h;
    a.s.atol = r->atol;
    a.s.rtol = r->rtol;
    lrnde__tell_past(&a, &slot->past);
    a.carry = lrnde__in(slot->carry);
    a.next = next->carry;
    a.k = slot->k;
    a.tape = slot->tape;
    a.noise = r->noise ? lrnde__in(lrnde__noise_at(r, n)) : NULL;
    a.external = lrnde__in(r->external);
    slot->has_extra = 0;
    s->driver->launch(s->device, step, &a, sums);
    r->stats.rhs_calls += step->rhs_evals;
    r->stats.nfe_diffusion += step->diffusion_evals;
}

void lrnde__end_step(lrnde__run *r, int64_t n)
{
    if (!lrnde__method(r->sys, &lrnde__slot_at(r->record, n)->past)->late) return;
    derive(r, n + 1, carried_f(r, n + 1));
    r->stats.rhs_calls += r->sys->rhs.rhs_evals;
}

lrnde_status lrnde__run_try(lrnde__run *r, double h)
{
    LRNDE_TRY(lrnde__run_may_go_on(r, h));
    LRNDE_TRY(lrnde__record_extend(r->s, r->record));
    lrnde__slot *slot = lrnde__slot_at(r->record, r->record->steps);
    const lrnde_system_desc *method = lrnde__method(r->sys, &slot->past);
    int32_t carried = method->fsal ? 1 : 0; /* stages that the step is given */
    if (r->supply) r->supply(r, r->t, h, carried, method->stages - carried);
    slot->h = h;
    if (r->noise) LRNDE_TRY(lrnde__noise_trial(r, r->record->steps, h));
    lrnde__unseen *step = &r->step[r->unseen++];
    step->method = method;
    r->sums = step->sums;
    lrnde__take_step(r, r->record->steps, step->sums);
    r->stats.nfe += r->noise ? r->sys->step.rhs_evals : method->stages - carried;
    return LRNDE_OK;
}

lrnde_status lrnde__run_look(lrnde__run *r, double *E)
{
    double n = lrnde__entries(r->s, r->sys);
    r->s->driver->sync(r->s->device);
    *E = 0;
    for (int32_t i = 0; i < r->unseen && isfinite(*E); i++) {
        const lrnde__unseen *step = &r->step[i];
        *E = step->method->finish ? step->method->finish(step->sums, n) : 0 * step->sums[0];
    }
    r->unseen = 0;
    return isfinite(*E) ? LRNDE_OK : lrnde__wait(r->s);
}

void lrnde__run_sums(lrnde__run *r, double *sums)
{
    if (r->unseen) r->s->driver->sync(r->s->device);
    memcpy(sums, r->sums, (size_t)r->sys->n_sums * sizeof *sums);
}

void lrnde__run_advance(lrnde__run *r, double t)
{
    int64_t n = r->record->steps++;
    const lrnde__slot *slot = lrnde__slot_at(r->record, n);
    lrnde__slot *next = lrnde__slot_at(r->record, n + 1);
    r->t = r->stats.t = next->t = t;
    next->past = lrnde__past_after(&slot->past, slot->t, slot->h);
    r->stats.accepted++;
}

void lrnde__run_accept(lrnde__run *r, double t)
{
    int64_t n = r->record->steps;
    lrnde__run_advance(r, t);
    lrnde__end_step(r, n);
    r->stats.nfe += lrnde__method(r->sys, &lrnde__slot_at(r->record, n)->past)->late;
    if (r->noise) lrnde__noise_accept(r, n);
    if (r->accepted) r->accepted(r, n);
}

lrnde_status lrnde__run_give_up(lrnde__run *r, double h, double E)
{
    if (isfinite(E))
        return lrnde__fail_at(r->s, LRNDE_ERR_STEP_SIZE, r->t, h, "%s: the error is %.3g tolerances even at h = %.3g, t = %.9g",
                              r->what, E, h, r->t);
    lrnde__fail_at(r->s, LRNDE_ERR_NOT_FINITE, r->t, h, "%s: not finite at t = %.9g, h = %.3g", r->what, r->t, h);
    lrnde__locate(r, r->record->steps);
    return LRNDE_ERR_NOT_FINITE;
}

lrnde_status lrnde__run_to(lrnde__run *r, double stop)
{
    if (r->s->options.h != 0) return lrnde__run_fixed(r, stop);
    while (r->t != stop) {
        int went;
        LRNDE_TRY(lrnde__course_to(r, stop, &went));
        if (went) continue;
        double h = lrnde_clip(r->t, r->h, stop, r->shortest), E;
        LRNDE_TRY(lrnde__run_try(r, h));
        LRNDE_TRY(lrnde__run_look(r, &E));
        r->h = r->stats.h = lrnde_control(&r->sys->controller, &r->e_old, E, h);
        if (lrnde_accepts(E)) {
            lrnde__run_accept(r, lrnde_advance(r->t, h, stop));
        } else {
            r->stats.rejected++;
            if (lrnde_gives_up(h, r->shortest)) return lrnde__run_give_up(r, h, E);
        }
    }
    return LRNDE_OK;
}
