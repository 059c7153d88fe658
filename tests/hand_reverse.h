/*
 * hand_reverse.h - the transposes of hand_model.h's kernels, written out (Hairer's notation with a bar for a cotangent).
 */
#ifndef HAND_REVERSE_H
#define HAND_REVERSE_H

#include "hand_model.h"

/* vjp of stage i with cotangent kbar[i]: to u, the earlier stages and the parameters. */
static void reverse_stage(const sample *s, int i, double t, double h, const double *p, double kbar[][MAX_D], double *ubar,
                          double *pbar)
{
    double zbar[MAX_D];
    prob.vjp(s->z[i], t + tab.c[i] * h, p, kbar[i], zbar, pbar);
    for (int d = 0; d < prob.D; d++) {
        ubar[d] += zbar[d];
        for (int j = 0; j < i; j++) kbar[j][d] += h * tab.A[i][j] * zbar[d];
    }
}

/* vjp of the error sum, added. */
static void reverse_error(const lrnde_args *a, const sample *s, double h, double cot, double kbar[][MAX_D], double *ubar,
                          double *u1bar)
{
    for (int d = 0; d < prob.D; d++) {
        double e = 0, sc = scale_of(a, s->u[d], s->u1[d]);
        for (int i = 0; i < tab.stages; i++) e += h * tab.err[i] * s->k[i][d];
        double rbar = cot * 2 * e / sc, scbar = -rbar * e / sc / sc;
        for (int i = 0; i < tab.stages; i++) kbar[i][d] += h * tab.err[i] * rbar / sc;
        if (fabs(s->u1[d]) > fabs(s->u[d]))
            u1bar[d] += a->s.rtol * copysign(scbar, scbar * s->u1[d]);
        else
            ubar[d] += a->s.rtol * copysign(scbar, scbar * s->u[d]);
    }
}

/* Transposed step: u1bar and kbar in, ubar out; k_0 is a carry if `given`, then kbar[0] is its cotangent. */
static void reverse_step(const sample *s, int given, double t, double h, const double *p, double kbar[][MAX_D], double *ubar,
                         const double *u1bar, double *pbar)
{
    for (int d = 0; d < prob.D; d++) {
        ubar[d] += u1bar[d];
        for (int i = 0; i < tab.stages; i++) kbar[i][d] += h * tab.b[i] * u1bar[d];
    }
    for (int i = tab.stages - 1; i >= given; i--) reverse_stage(s, i, t, h, p, kbar, ubar, pbar);
}

static void reverse(const lrnde_args *a, int tile0, int tile1, int worker, int full)
{
    int interior = tab.stages - 2 * tab.fsal;
    EACH_SAMPLE(tile, lane)
    {
        sample s;
        double kbar[MAX_STAGES][MAX_D] = {{0}}, ubar[MAX_D] = {0}, u1bar[MAX_D];
        load_carry(a, tile, lane, &s);
        step_sample(&s, tab.fsal, a->s.t, a->s.h, a->params);
        load(a->cot_next[0], tile, lane, u1bar);
        for (int i = 0; full && i < interior; i++) load(a->cot_k[i], tile, lane, kbar[tab.fsal + i]);
        for (int i = tab.stages; full && i < tab.total; i++) {
            stage(&s, i, a->s.t, a->s.h, a->params);
            load(a->cot_k[interior + i - tab.stages], tile, lane, kbar[i]);
        }
        if (tab.fsal) load(a->cot_next[1], tile, lane, kbar[tab.stages - 1]);
        for (int i = tab.total - 1; full && i >= tab.stages; i--)
            reverse_stage(&s, i, a->s.t, a->s.h, a->params, kbar, ubar, partial_of(a, worker));
        if (full) reverse_error(a, &s, a->s.h, a->cot_sums[0], kbar, ubar, u1bar);
        reverse_step(&s, tab.fsal, a->s.t, a->s.h, a->params, kbar, ubar, u1bar, partial_of(a, worker));
        store(a->cot_carry[0], tile, lane, ubar);
        if (tab.fsal) store(a->cot_carry[1], tile, lane, kbar[0]);
    }
}

static void k_rev_step(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    reverse(a, tile0, tile1, worker, 0);
}
static void k_rev_step_full(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    reverse(a, tile0, tile1, worker, 1);
}

static void k_rev_rhs(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    EACH_SAMPLE(tile, lane)
    {
        double u[MAX_D], w[MAX_D], wu[MAX_D];
        load(a->carry[0], tile, lane, u);
        load(a->cot_next[0], tile, lane, w);
        prob.vjp(u, a->s.t, a->params, w, wu, partial_of(a, worker));
        store(a->cot_carry[0], tile, lane, wu);
    }
}

static void k_rev_dense(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    int n_carry = 1 + tab.fsal;
    EACH_SAMPLE(tile, lane)
    {
        double w[MAX_D], kbar[MAX_STAGES][MAX_D], zero[MAX_D] = {0};
        load(a->in[0], tile, lane, w);
        for (int i = 0; i < tab.total; i++)
            for (int d = 0; d < prob.D; d++) kbar[i][d] = a->s.h * dense_weight(i, a->s.theta) * w[d];
        store(a->cot_carry[0], tile, lane, w);
        store(a->out[0], tile, lane, zero);
        if (tab.fsal) store(a->cot_carry[1], tile, lane, kbar[0]);
        if (tab.fsal) store(a->out[1], tile, lane, kbar[tab.stages - 1]);
        for (int i = tab.fsal; i < tab.stages - tab.fsal; i++) store(a->out[n_carry + i - tab.fsal], tile, lane, kbar[i]);
        for (int i = tab.stages; i < tab.total; i++) store(a->out[n_carry + i - 2 * tab.fsal], tile, lane, kbar[i]);
    }
}

static void k_rev_init(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    EACH_SAMPLE(tile, lane)
    {
        double w[MAX_D];
        load(a->in[0], tile, lane, w);
        store(a->out[0], tile, lane, w);
    }
}

static void k_rev_head(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    EACH_SAMPLE(tile, lane)
    {
        double w[MAX_D];
        for (int d = 0; d < prob.D; d++) w[d] = is_real(a, tile, lane) ? a->s.weight : 0;
        store(a->out[0], tile, lane, w);
    }
}

static void k_rev_output(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    EACH_SAMPLE(tile, lane)
    {
        double w[MAX_D];
        for (int d = 0; d < prob.D; d++) w[d] = ((const double *)a->in[1])[tile * TILE + lane];
        store(a->out[0], tile, lane, w);
    }
}

static void k_rev_local(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    EACH_SAMPLE(tile, lane)
    {
        sample s;
        double kbar[MAX_STAGES][MAX_D] = {{0}}, ubar[MAX_D] = {0}, u1bar[MAX_D] = {0};
        load(a->carry[0], tile, lane, s.u);
        if (is_real(a, tile, lane)) {
            step_sample(&s, 0, a->s.t, a->s.h, a->params);
            reverse_error(a, &s, a->s.h, a->cot_sums[0], kbar, ubar, u1bar);
            reverse_step(&s, 0, a->s.t, a->s.h, a->params, kbar, ubar, u1bar, partial_of(a, worker));
        }
        store(a->cot_carry[0], tile, lane, ubar);
    }
}

static void rev_rms(const double *sums, double n, double cot, double *cot_sums)
{
    cot_sums[0] = sums[0] > 0 ? cot / (2 * n * rms(sums, n)) : 0;
}

#endif
