/*
 * control.h - who decides the steps: the controller, the automatic first step, the end, the reservoir.
 *
 * Pure functions of doubles.  Freestanding but for the C mathematics, so that a kernel that solves on the device can paste
 * the same text.  Times run forwards or backwards: h has the sign of t1 - t0, what is called a length has none.
 */
#ifndef LRNDE_CONTROL_H
#define LRNDE_CONTROL_H

#include "kernel.h"

#ifndef __CUDACC_RTC__
#include <math.h>
#endif

/* The distance from |t| to the next double. */
static inline double lrnde_ulp(double t)
{
    t = fabs(t);
    return nextafter(t, 2 * t + 1) - t;
}

/* The shortest step that time resolves between t0 and t1. */
static inline double lrnde_shortest(double t0, double t1)
{
    return fmax(lrnde_ulp(t0), lrnde_ulp(t1));
}

/*
 * The PI controller.  E <= 1 accepts a trial step; what is not a number rejects it.
 *   accepted  h / clamp(E^beta1 / e_old^beta2 / gamma, 1/qmax, 1/qmin), or h where that quotient is from 1 to qsteady,  then
 *             e_old = max(E, 1e-4)
 *   rejected  h / min(1/qmin, E^beta1 / gamma): proportional, the history is kept
 */
#define LRNDE_E_OLD 1e-4

static inline int lrnde_accepts(double E)
{
    return E <= 1;
}

static inline double lrnde_control(const lrnde_controller *c, double *e_old, double E, double h)
{
    double q = pow(E, c->beta1) / c->gamma;
    if (lrnde_accepts(E)) {
        q = fmax(q / pow(*e_old, c->beta2), 1 / c->qmax);
        *e_old = fmax(E, LRNDE_E_OLD);
        if (q >= 1 && q <= c->qsteady) q = 1;
    }
    return h / (q < 1 / c->qmin ? q : 1 / c->qmin);
}

/* A rejected step of length h cannot be tried shorter. */
static inline int lrnde_gives_up(double h, double shortest)
{
    return fabs(h) <= shortest;
}

/* The step to try from t: h, but not shorter than time resolves nor past t1. */
static inline double lrnde_clip(double t, double h, double t1, double shortest)
{
    h = copysign(fmax(fabs(h), shortest), t1 - t);
    return fabs(h) < fabs(t1 - t) ? h : t1 - t;
}

/* Where a step from t ends: t + h, or t1 itself if that is as near as rounding lets one see. */
static inline double lrnde_advance(double t, double h, double t1)
{
    return fabs(t + h - t1) < 100 * lrnde_ulp(fmax(fabs(t), fabs(t1))) ? t1 : t + h;
}

/*
 * The automatic first step (Hairer, Norsett, Wanner I, II.4, with exponent 1/order).  norm0, norm1: RMS of u0/sc and f0/sc,
 * sc = atol + rtol |u0|; norm2: RMS of (f(t0 + dt0, u0 + dt0 f0) - f0)/sc.  Lengths, no longer than longest.
 */
static inline double lrnde_first_trial(double norm0, double norm1, double longest)
{
    double dt0 = norm0 < 1e-5 || norm1 < 1e-5 ? 1e-6 : 0.01 * norm0 / norm1;
    return fmin(dt0, longest);
}

/* A trial too short to learn anything from: the first step is LRNDE_FIRST_FALLBACK without norm2. */
#define LRNDE_FIRST_FALLBACK 1e-6
static inline int lrnde_first_trial_is_void(double dt0)
{
    return dt0 < 10 / 4503599627370496.0; /* 2^52: C++14 has no hexadecimal numbers */
}

static inline double lrnde_first_step(double dt0, double norm1, double norm2, double order, double shortest, double longest)
{
    if (norm2 == 0) return fmax(shortest, 100 * dt0);
    double slope = fmax(norm1, norm2 / dt0);
    double dt1 = slope <= 1e-15 ? fmax(1e-6, dt0 * 1e-3) : pow(10, -(2 + log10(slope)) / order);
    return fmax(shortest, fmin(fmin(100 * dt0, dt1), longest));
}

/* Reservoir sampling: whether the count-th candidate (from 1) replaces the one kept; uniform is in [0, 1). */
static inline int lrnde_reservoir_takes(double uniform, double count)
{
    return uniform * count < 1;
}

#endif
