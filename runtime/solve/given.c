/*
 * given.c - steps of given lengths: those of a mesh, or fixed ones, the last of which is shorter.
 *
 * Nothing is decided by them, so they are launched one after another, and only now and then does the host look whether all were
 * finite.  What goes wrong is found late then, and what it came from is gone: the whole run is to be begun again, looking at
 * every step, which ends where it went wrong and can say all about it.  The same steps give the same bits.
 */
#include "solve/solver.h"

#include <math.h>

static const double MANY = 0x1p62; /* more steps than any solve takes */

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

/* Where steps end: of length h from `start` on, or at the points of a mesh; the last at `stop`. */
typedef struct ends {
    const double *mesh; /* NULL: there is none */
    double start, h, stop;
    int64_t n;
} ends;

static double end_of(const ends *e, int64_t i)
{
    return i == e->n - 1 ? e->stop : e->mesh ? e->mesh[i] : e->start + (double)(i + 1) * e->h;
}

static lrnde_status take_all(lrnde__run *r, const ends *e)
{
    double t[LRNDE__UNSEEN];
    const int64_t most = r->noise ? lrnde__noise_at_once(r) : LRNDE__UNSEEN;
    lrnde_status status = LRNDE_OK;
    for (int64_t i = 0; i < e->n && !status;) {
        int32_t n = 0;
        while (n < most && i < e->n) t[n++] = end_of(e, i++);
        if (r->noise) status = lrnde__noise_ahead(r, t, n);
        for (int32_t j = 0; j < n && !status; j++) status = step_to(r, t[j]);
    }
    return finish(r, status);
}

lrnde_status lrnde__run_fixed(lrnde__run *r, double stop)
{
    const double start = r->t, h = copysign(r->h, stop - start);
    double n = fmin(lrnde__fixed_steps(stop - start, h), MANY);
    if (start + (n - 1) * h == stop) n--; /* of large times, that are rounded */
    return take_all(r, &(ends){.start = start, .h = h, .stop = stop, .n = (int64_t)n});
}

lrnde_status lrnde__run_mesh(lrnde__run *r, const double *mesh, size_t m)
{
    return take_all(r, &(ends){.mesh = mesh + 1, .stop = mesh[m - 1], .n = (int64_t)m - 1});
}
