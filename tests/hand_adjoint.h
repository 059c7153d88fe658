/*
 * hand_adjoint.h - the adjoint system of hand_model.h: lambda per sample, g shared, u(t) of every stage from outside.
 *
 *   lambda' = -f_u^T lambda,  g' = -sum over samples of f_p^T lambda
 *
 * The tile phase steps lambda and leaves g' of every stage in the workers' partials; the shared phase steps g.  FSAL only.
 */
#ifndef HAND_ADJOINT_H
#define HAND_ADJOINT_H

#include "hand_model.h"

/* lambda' of one sample; adds to g' (P). */
static void adjoint_rhs(const lrnde_args *a, int stage, double t, int tile, int lane, const double *lambda, double *dlambda,
                        double *dg)
{
    double u[MAX_D], minus[MAX_D];
    load(a->external[stage], tile, lane, u);
    for (int d = 0; d < prob.D; d++) minus[d] = is_real(a, tile, lane) ? -lambda[d] : 0;
    prob.vjp(u, t, a->params, minus, dlambda, dg);
}

/* g' of a stage: the partials of the workers, in order. */
static double combined(const lrnde_args *a, int64_t at)
{
    double sum = 0;
    for (int w = 0; w < a->workers; w++) sum += partial_of(a, w)[at];
    return sum;
}

static double *shared_sums(const lrnde_args *a, int64_t e0, int n)
{
    return a->sums + (a->tiles + e0 / LRNDE_CHUNK) * n;
}

static void a_rhs(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    EACH_SAMPLE(tile, lane)
    {
        double lambda[MAX_D], dlambda[MAX_D];
        load(a->carry[0], tile, lane, lambda);
        adjoint_rhs(a, 0, a->s.t, tile, lane, lambda, dlambda, partial_of(a, worker));
        store(a->out[0], tile, lane, dlambda);
    }
}

static void a_rhs_shared(const lrnde_args *a, int64_t e0, int64_t e1)
{
    for (int64_t e = e0; e < e1; e++) ((double *)a->out[1])[e] = combined(a, e);
}

static void a_first_shared(const lrnde_args *a, int64_t e0, int64_t e1)
{
    double *sums = shared_sums(a, e0, 2);
    sums[0] = sums[1] = 0;
    for (int64_t e = e0; e < e1; e++) {
        double g = ((const double *)a->carry[1])[e], sc = scale_of(a, g, g);
        sums[0] += pow(g / sc, 2);
        sums[1] += pow(((const double *)a->in[1])[e] / sc, 2);
    }
}

static void a_second(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    for (int tile = tile0; tile < tile1; tile++) zero_sums(a, tile, 1);
    EACH_SAMPLE(tile, lane)
    {
        double u[MAX_D], u1[MAX_D], f0[MAX_D], f1[MAX_D];
        load(a->carry[0], tile, lane, u);
        load(a->in[0], tile, lane, f0);
        for (int d = 0; d < prob.D; d++) u1[d] = u[d] + a->s.h * f0[d];
        adjoint_rhs(a, 0, a->s.t + a->s.h, tile, lane, u1, f1, partial_of(a, worker));
        for (int d = 0; is_real(a, tile, lane) && d < prob.D; d++)
            a->sums[tile] += pow((f1[d] - f0[d]) / scale_of(a, u[d], u[d]), 2);
    }
}

static void a_second_shared(const lrnde_args *a, int64_t e0, int64_t e1)
{
    double *sums = shared_sums(a, e0, 1);
    sums[0] = 0;
    for (int64_t e = e0; e < e1; e++) {
        double g = ((const double *)a->carry[1])[e];
        sums[0] += pow((combined(a, e) - ((const double *)a->in[1])[e]) / scale_of(a, g, g), 2);
    }
}

static void a_step(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    for (int tile = tile0; tile < tile1; tile++) zero_sums(a, tile, 1);
    EACH_SAMPLE(tile, lane)
    {
        sample s;
        load(a->carry[0], tile, lane, s.u);
        load(a->carry[2], tile, lane, s.k[0]);
        for (int i = 1; i < tab.stages; i++) {
            for (int d = 0; d < prob.D; d++) {
                s.z[i][d] = s.u[d];
                for (int j = 0; j < i; j++) s.z[i][d] += a->s.h * tab.A[i][j] * s.k[j][d];
            }
            adjoint_rhs(a, i, a->s.t + tab.c[i] * a->s.h, tile, lane, s.z[i], s.k[i], partial_of(a, worker) + i * prob.P);
            if (i < tab.stages - 1) store(a->k[i - 1], tile, lane, s.k[i]);
        }
        memcpy(s.u1, s.z[tab.stages - 1], sizeof s.u1);
        store(a->next[0], tile, lane, s.u1);
        store(a->next[2], tile, lane, s.k[tab.stages - 1]);
        if (is_real(a, tile, lane)) a->sums[tile] += error_sum(a, &s, a->s.h);
    }
}

static void a_step_shared(const lrnde_args *a, int64_t e0, int64_t e1)
{
    double *sums = shared_sums(a, e0, 1);
    sums[0] = 0;
    for (int64_t e = e0; e < e1; e++) {
        double g = ((const double *)a->carry[1])[e], g1 = g, error = 0, dg = 0;
        for (int i = 0; i < tab.stages; i++) {
            dg = i ? combined(a, i * prob.P + e) : ((const double *)a->carry[3])[e];
            g1 += a->s.h * tab.b[i] * dg;
            error += a->s.h * tab.err[i] * dg;
        }
        ((double *)a->next[1])[e] = g1;
        ((double *)a->next[3])[e] = dg;
        sums[0] += pow(error / scale_of(a, g, g1), 2);
    }
}

#endif
