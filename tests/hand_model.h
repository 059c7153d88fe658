/*
 * hand_model.h - a model whose kernels are plain loops over a tableau, one sample at a time: the runtime's witness, written
 * without the generator.  f64, tiles of 4, any explicit method of tableaus/ with one error vector.
 *
 * The loss is the mean over samples and save times of the sum of u; metric 0 is the mean of the first component.
 */
#ifndef HAND_MODEL_H
#define HAND_MODEL_H

#include "hand_tableau.h"
#include "kernel.h"

#include <math.h>

enum { TILE = 4, MAX_D = 2, MAX_P = 4 };

typedef struct problem {
    int D, P;
    double u0[MAX_D], p[MAX_P], t1;
    void (*f)(const double *u, double t, const double *p, double *du);
    void (*vjp)(const double *u, double t, const double *p, const double *w, double *wu, double *wp); /* wu =, wp += */
} problem;

/* What the kernels are for: they have no state of their own. */
static tableau tab;
static problem prob;

static int is_real(const lrnde_args *a, int tile, int lane)
{
    return tile * TILE + lane < a->batch;
}

static void load(const void *array, int tile, int lane, double *x)
{
    for (int i = 0; i < prob.D; i++) x[i] = ((const double *)array)[(tile * prob.D + i) * TILE + lane];
}

static void store(void *array, int tile, int lane, const double *x)
{
    for (int i = 0; i < prob.D; i++) ((double *)array)[(tile * prob.D + i) * TILE + lane] = x[i];
}

#define EACH_SAMPLE(tile, lane)                                                                                                  \
    for (int tile = tile0; tile < tile1; tile++)                                                                                 \
        for (int lane = 0; lane < TILE; lane++)

static double *partial_of(const lrnde_args *a, int worker)
{
    return (double *)a->partial + (size_t)worker * a->partial_stride;
}

/* The stages of one sample: z_i, k_i; k_0 is given if `given`. */
typedef struct sample {
    double u[MAX_D], u1[MAX_D], z[MAX_STAGES][MAX_D], k[MAX_STAGES][MAX_D];
} sample;

static void stage(sample *s, int i, double t, double h, const double *p)
{
    for (int d = 0; d < prob.D; d++) {
        s->z[i][d] = s->u[d];
        for (int j = 0; j < i; j++) s->z[i][d] += h * tab.A[i][j] * s->k[j][d];
    }
    prob.f(s->z[i], t + tab.c[i] * h, p, s->k[i]);
}

static void step_sample(sample *s, int given, double t, double h, const double *p)
{
    for (int i = given; i < tab.stages; i++) stage(s, i, t, h, p);
    for (int d = 0; d < prob.D; d++) {
        s->u1[d] = s->u[d];
        for (int i = 0; i < tab.stages; i++) s->u1[d] += h * tab.b[i] * s->k[i][d];
    }
}

static double scale_of(const lrnde_args *a, double u, double u1)
{
    return a->s.atol + fmax(fabs(u), fabs(u1)) * a->s.rtol;
}

static double error_sum(const lrnde_args *a, const sample *s, double h)
{
    double sum = 0;
    for (int d = 0; d < prob.D; d++) {
        double e = 0;
        for (int i = 0; i < tab.stages; i++) e += h * tab.err[i] * s->k[i][d];
        sum += pow(e / scale_of(a, s->u[d], s->u1[d]), 2);
    }
    return sum;
}

static void load_carry(const lrnde_args *a, int tile, int lane, sample *s)
{
    load(a->carry[0], tile, lane, s->u);
    if (tab.fsal) load(a->carry[1], tile, lane, s->k[0]);
}

static void zero_sums(const lrnde_args *a, int tile, int n)
{
    for (int i = 0; i < n; i++) a->sums[tile * n + i] = 0;
}

static void k_rhs(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    EACH_SAMPLE(tile, lane)
    {
        double u[MAX_D], du[MAX_D];
        load(a->carry[0], tile, lane, u);
        prob.f(u, a->s.t, a->params, du);
        store(a->out[0], tile, lane, du);
    }
}

static void k_first(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    for (int tile = tile0; tile < tile1; tile++) zero_sums(a, tile, 2);
    EACH_SAMPLE(tile, lane)
    {
        double u[MAX_D], f0[MAX_D];
        load(a->carry[0], tile, lane, u);
        load(a->in[0], tile, lane, f0);
        for (int d = 0; is_real(a, tile, lane) && d < prob.D; d++) {
            double sc = scale_of(a, u[d], u[d]);
            a->sums[tile * 2] += pow(u[d] / sc, 2);
            a->sums[tile * 2 + 1] += pow(f0[d] / sc, 2);
        }
    }
}

static void k_second(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    for (int tile = tile0; tile < tile1; tile++) zero_sums(a, tile, 1);
    EACH_SAMPLE(tile, lane)
    {
        double u[MAX_D], u1[MAX_D], f0[MAX_D], f1[MAX_D];
        load(a->carry[0], tile, lane, u);
        load(a->in[0], tile, lane, f0);
        for (int d = 0; d < prob.D; d++) u1[d] = u[d] + a->s.h * f0[d];
        prob.f(u1, a->s.t + a->s.h, a->params, f1);
        for (int d = 0; is_real(a, tile, lane) && d < prob.D; d++)
            a->sums[tile] += pow((f1[d] - f0[d]) / scale_of(a, u[d], u[d]), 2);
    }
}

static void k_step(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    for (int tile = tile0; tile < tile1; tile++) zero_sums(a, tile, 1);
    EACH_SAMPLE(tile, lane)
    {
        sample s;
        load_carry(a, tile, lane, &s);
        step_sample(&s, tab.fsal, a->s.t, a->s.h, a->params);
        store(a->next[0], tile, lane, s.u1);
        if (tab.fsal) store(a->next[1], tile, lane, s.k[tab.stages - 1]);
        for (int i = tab.fsal; i < tab.stages - tab.fsal; i++) store(a->k[i - tab.fsal], tile, lane, s.k[i]);
        if (is_real(a, tile, lane)) a->sums[tile] += error_sum(a, &s, a->s.h);
    }
}

/* The stages of a recorded step, those of dense output up to `total`. */
static void load_stages(const lrnde_args *a, int tile, int lane, sample *s, int total)
{
    int interior = tab.stages - 2 * tab.fsal;
    load_carry(a, tile, lane, s);
    for (int i = 0; i < interior; i++) load(a->k_in[i], tile, lane, s->k[tab.fsal + i]);
    if (tab.fsal) load(a->next_in[1], tile, lane, s->k[tab.stages - 1]);
    for (int i = tab.stages; i < total; i++) load(a->k_in[interior + i - tab.stages], tile, lane, s->k[i]);
}

static void k_extra(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    EACH_SAMPLE(tile, lane)
    {
        sample s;
        load_stages(a, tile, lane, &s, tab.stages);
        for (int i = tab.stages; i < tab.total; i++) {
            stage(&s, i, a->s.t, a->s.h, a->params);
            store(a->k[i - 2 * tab.fsal], tile, lane, s.k[i]);
        }
    }
}

static double dense_weight(int i, double theta)
{
    double w = 0;
    for (int j = tab.degree; j >= 0; j--) w = w * theta + tab.poly[i][j];
    return w;
}

static void k_dense(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    EACH_SAMPLE(tile, lane)
    {
        sample s;
        load_stages(a, tile, lane, &s, tab.total);
        for (int i = 0; i < tab.total; i++)
            for (int d = 0; d < prob.D; d++) s.u[d] += a->s.h * dense_weight(i, a->s.theta) * s.k[i][d];
        store(a->out[0], tile, lane, s.u);
    }
}

static void k_init(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    EACH_SAMPLE(tile, lane)
    {
        double x[MAX_D];
        load(a->data[0], tile, lane, x);
        store(a->out[0], tile, lane, x);
    }
}

static void k_head(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    for (int tile = tile0; tile < tile1; tile++) zero_sums(a, tile, 2);
    EACH_SAMPLE(tile, lane)
    {
        double u[MAX_D], total = 0;
        load(a->in[0], tile, lane, u);
        for (int d = 0; d < prob.D; d++) total += u[d];
        ((double *)a->out[0])[tile * TILE + lane] = total;
        if (!is_real(a, tile, lane)) continue;
        a->sums[tile * 2] += a->s.weight * total;
        a->sums[tile * 2 + 1] += a->s.weight * u[0];
    }
}

/* The error sum again, of the step as it was recorded. */
static void k_local(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    (void)worker;
    for (int tile = tile0; tile < tile1; tile++) zero_sums(a, tile, 1);
    EACH_SAMPLE(tile, lane)
    {
        sample s;
        load_stages(a, tile, lane, &s, tab.stages);
        load(a->next_in[0], tile, lane, s.u1);
        if (is_real(a, tile, lane)) a->sums[tile] += error_sum(a, &s, a->s.h);
    }
}

static void k_update(const lrnde_args *a, int64_t e0, int64_t e1)
{
    for (int64_t e = e0; e < e1; e++)
        ((double *)a->out[0])[e] = ((const double *)a->params)[e] - a->s.lr * ((double *)a->grad)[e];
}

static double rms(const double *sums, double n)
{
    return sqrt(sums[0] / n);
}

#endif
