/*
 * cuda_integration.h - whole integrations by the emitted CUDA text on this CPU (cuda_launch.h), and what the runtime makes of the
 * same beginnings.
 */
#ifndef TESTS_CUDA_INTEGRATION_H
#define TESTS_CUDA_INTEGRATION_H

#include "cuda_launch.h"

#include "control.h"
#include "lrnde.h"

enum { MOST_CARRY = 32 /* arrays, or stages */ };

/* The CPU's integration from a spread of initial states: what it began with, where it ended. */
typedef struct integration {
    double *params, *u0, *u1; /* (batch, state) */
    lrnde_stats stats;
} integration;

/* Numbers that the runtime has as the model's real. */
static inline void exchange(lrnde_solver *s, const char *name, double *x, size_t n, int set)
{
    const size_t size = (size_t)lrnde_model(s)->real_bytes;
    char *reals = malloc(n * size + 1);
    for (size_t i = 0; set && i < n; i++)
        size == sizeof(float) ? (void)(((float *)reals)[i] = (float)x[i]) : (void)(((double *)reals)[i] = x[i]);
    assert_int_equal(set ? lrnde_set(s, name, reals, n * size) : lrnde_get(s, name, reals, n * size), LRNDE_OK);
    for (size_t i = 0; i < n; i++) x[i] = size == sizeof(float) ? (double)((float *)reals)[i] : ((double *)reals)[i];
    free(reals);
}

static inline integration integrate(const lrnde_model_desc *m, int32_t batch)
{
    const size_t n = (size_t)batch * (size_t)m->state, bytes = n * sizeof(double);
    integration result = {malloc((size_t)(m->n_params + 1) * sizeof(double)), malloc(bytes), malloc(bytes), {0}};
    lrnde_options options = LRNDE_OPTIONS;
    lrnde_solver *s;
    options.batch = batch, options.device = "cpu", options.threads = 1;
    assert_int_equal(lrnde_create(&s, m, &options, NULL), LRNDE_OK);
    exchange(s, "params", result.params, (size_t)m->n_params, 0);
    const char *start = m->u0 ? "u0" : m->inputs[0].name; /* that is u0 */
    for (size_t i = 0; i < n; i++)
        result.u0[i] = m->u0 ? m->u0[i % (size_t)m->state] * (1 + 0.5 * (double)(i / (size_t)m->state) / batch) : sin((double)i);
    exchange(s, start, result.u0, n, 1);
    assert_int_equal(lrnde_solve(s, NULL, 0, &result.stats), LRNDE_OK);
    exchange(s, "u", result.u1, n, 0);
    lrnde_destroy(s);
    return result;
}

/* Begins a launch whose state is u0. */
static inline void begin_at(launch *l, const lrnde_model_desc *m, const lrnde_kernel *kernel, int32_t batch, const integration *x)
{
    launch_begin(l, m, m->forward, kernel, &SIM, batch, 2);
    launch_set(l, "params", false, m->n_params, x->params);
    launch_set(l, "carry[0]", true, m->state, x->u0);
    launch_set(l, "t", false, 1, &m->t0);
    launch_set(l, "atol", false, 1, &m->atol);
    launch_set(l, "rtol", false, 1, &m->rtol);
}

/* f(t0, u0), which methods with FSAL carry. */
static inline void carry_derivative(launch *l, const lrnde_model_desc *m, int32_t batch, const integration *x)
{
    static launch rhs;
    double *f = malloc((size_t)(batch * m->state) * sizeof *f);
    begin_at(&rhs, m, &m->forward->rhs, batch, x);
    const launch_array *out = launch_find(&rhs, "out[0]", true, m->state);
    launch_run(&rhs);
    for (int64_t i = 0; i < (int64_t)batch * m->state; i++) f[i] = launch_get(&rhs, out, i / m->state, i % m->state);
    launch_set(l, "carry[1]", true, m->state, f);
    launch_end(&rhs);
    free(f);
}

/* What the text's launches by clusters are like: blocks of one, tiles, bytes of shared memory. */
static inline const int32_t *clusters_of(const launch *l)
{
    return lrnde_text_for(l->model, &SIM)->own;
}

/* Rows of sums in a step, by blocks or by clusters. */
static inline int32_t run_rows(const launch *l)
{
    const int32_t *cluster = clusters_of(l), groups = cluster[0] ? (l->args.tiles + cluster[1] - 1) / cluster[1] : 0;
    return l->args.tiles > groups * cluster[0] ? l->args.tiles : groups * cluster[0];
}

/* The beginning of a course from x, with arguments for it. */
static inline lrnde_course begin_course(launch *l, const lrnde_model_desc *m, int32_t batch, const integration *x)
{
    begin_at(l, m, &m->forward->step, batch, x);
    if (m->forward->fsal) carry_derivative(l, m, batch, x);
    l->args.sums = SIM.alloc(l->device, 2 * (size_t)run_rows(l) * (size_t)m->forward->n_sums * sizeof(double));
    l->owned[l->n_owned++] = l->args.sums;
    return (lrnde_course){.t1 = m->t1,
                          .look = m->t1,
                          .shortest = lrnde_shortest(m->t0, m->t1),
                          .now = m->t0,
                          .next = x->stats.first_h,
                          .e_old = LRNDE_E_OLD};
}

/* A launch of kernel `what`, in as many clusters if it is one for them. */
static inline void go(const launch *l, const char *what, lrnde_course *course, int32_t n_clusters)
{
    char name[256];
    const int *threads;
    void (*kernel)(void);
    void (*run)(void (*)(void), const void *, lrnde_course *, int, int, int, int);
    const int32_t *cluster = clusters_of(l);
    snprintf(name, sizeof name, "%s_%s_%s", l->model->name, what, l->model->real_bytes == sizeof(float) ? "f32" : "f64");
    find_symbol(name, &kernel);
    find_symbol("sim_launch_run", &run);
    find_symbol("sim_tile_threads", &threads);
    if (n_clusters)
        run(kernel, &l->args, course, n_clusters * cluster[0], *threads, cluster[0], cluster[2]);
    else
        run(kernel, &l->args, course, l->args.workers, *threads, 1, 0);
}

/* As many steps as the CPU took, to the same end. */
static inline void check_end(const launch *l, void *u, int64_t accepted, int64_t rejected, const integration *x)
{
    const int64_t state = l->model->state;
    const launch_array end = {.per_sample = true, .size = state, .rows = state, .at = u};
    double worst = 0;
    for (int64_t i = 0; i < l->args.batch * state; i++)
        worst = fmax(worst, fabs(launch_get(l, &end, i / state, i % state) - x->u1[i]) / (1 + fabs(x->u1[i])));
    print_message("           %-16s %-8s batch %d: %lld + %lld steps, %.1e apart\n", l->model->name, l->model->method,
                  (int)l->args.batch, (long long)accepted, (long long)rejected, worst);
    assert_int_equal(accepted, x->stats.accepted);
    assert_int_equal(rejected, x->stats.rejected);
    assert_true(worst < (l->model->real_bytes == sizeof(float) ? 1e-5 : 1e-9));
}

#endif
