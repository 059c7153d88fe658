/*
 * given.c - steps of given lengths: those of a mesh, or fixed ones, the last of which is shorter.
 *
 * Nothing is decided by them, so they are launched one after another, and only now and then does the host look whether all were
 * finite.  What goes wrong is found late then, and what it came from is gone: the whole run is to be begun again, looking at
 * every step, which ends where it went wrong and can say all about it.  The same steps give the same bits.
 */
#include "solve/solver.h"

#include <math.h>

void lrnde__run_trust(lrnde__run *r)
{
    r->careful = r->missed = 0;
}

int lrnde__run_again(lrnde__run *r)
{
    int missed = r->missed;
    r->careful |= missed;
    r->missed = 0;
    return missed;
}

/* Looks at the steps that have been launched. */
static lrnde_status catch_up(lrnde__run *r)
{
    double E;
    LRNDE_TRY(lrnde__run_look(r, &E));
    if (isfinite(E)) return LRNDE_OK;
    r->missed = 1;
    return lrnde__fail_at(r->s, LRNDE_ERR_NOT_FINITE, r->t, NAN, "%s: not finite before t = %.9g", r->what, r->t);
}

/* The step to time t, whatever its error. */
static lrnde_status step_to(lrnde__run *r, double t)
{
    double h = r->stats.h = t - r->t, E;
    if (h == 0)
        return lrnde__fail_at(r->s, LRNDE_ERR_STEP_SIZE, r->t, h, "%s: time does not resolve so short a step at t = %.9g",
                              r->what, r->t);
    LRNDE_TRY(lrnde__run_try(r, h));
    if (r->careful) {
        LRNDE_TRY(lrnde__run_look(r, &E));
        if (!isfinite(E)) return lrnde__run_give_up(r, h, E);
    }
    lrnde__run_accept(r, t);
    return r->unseen < LRNDE__UNSEEN ? LRNDE_OK : catch_up(r);
}

double lrnde__fixed_steps(double length, double h)
{
    return fmax(1, ceil(fabs(length / h) - 1e-6));
}

/* What went wrong first comes first. */
static lrnde_status finish(lrnde__run *r, lrnde_status status)
{
    LRNDE_TRY(catch_up(r));
    return status;
}

lrnde_status lrnde__run_fixed(lrnde__run *r, double stop)
{
    double start = r->t, h = copysign(r->h, stop - start), n = lrnde__fixed_steps(stop - start, h);
    lrnde_status status = LRNDE_OK;
    for (double i = 1; i < n && !status; i++) status = step_to(r, start + i * h);
    if (!status && r->t != stop) status = step_to(r, stop);
    return finish(r, status);
}

lrnde_status lrnde__run_mesh(lrnde__run *r, const double *mesh, size_t m)
{
    lrnde_status status = LRNDE_OK;
    for (size_t i = 1; i < m && !status; i++) status = step_to(r, mesh[i]);
    return finish(r, status);
}
