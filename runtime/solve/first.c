/*
 * first.c - the automatic first step: three norms, from which control.h makes a length.
 *
 * The derivative f0 at t is given; one more right-hand side is evaluated at the end of a trial Euler step.
 */
#include "solve/solver.h"

#include "control.h"

static double rms(double sum, double n)
{
    return sqrt(sum / n);
}

lrnde_status lrnde__first_step(lrnde__run *r, void **carry, void **f0, double t, double t1, double *h)
{
    lrnde_solver *s = r->s;
    double sums[LRNDE_MAX_SUMS], n = lrnde__entries(s, r->sys), longest = fabs(t1 - t);
    lrnde_args a = s->args;
    a.carry = lrnde__in(carry);
    a.in = lrnde__in(f0);
    a.s.t = t;
    a.s.atol = r->atol;
    a.s.rtol = r->rtol;
    lrnde__launch_for_sums(s, &r->sys->first, &a, sums);
    double norm0 = rms(sums[0], n), norm1 = rms(sums[1], n);
    if (!isfinite(norm0 + norm1)) {
        LRNDE_TRY(lrnde__wait(s));
        lrnde__fail_at(s, LRNDE_ERR_NOT_FINITE, t, NAN, "%s: the state or its derivative is not finite at t = %.9g", r->what, t);
        lrnde__locate_start(r, carry[0], f0[0]);
        return LRNDE_ERR_NOT_FINITE;
    }
    double dt0 = lrnde_first_trial(norm0, norm1, longest);
    if (lrnde_first_trial_is_void(dt0)) {
        *h = copysign(fmax(LRNDE_FIRST_FALLBACK, lrnde_shortest(t, t1)), t1 - t);
        return LRNDE_OK;
    }
    a.s.h = copysign(dt0, t1 - t);
    if (r->supply) r->supply(r, t + a.s.h, 0, 0, 1);
    a.external = lrnde__in(r->external);
    lrnde__launch_for_sums(s, &r->sys->second, &a, sums);
    double length = lrnde_first_step(dt0, norm1, rms(sums[0], n), r->sys->order, lrnde_shortest(t, t1), longest);
    *h = copysign(length, t1 - t);
    return LRNDE_OK;
}
