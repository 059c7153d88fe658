/*
 * adjoint.c - what a gradient adds to a solve by each sensitivity algorithm, in times of a solve that keeps nothing, and how
 * good it is: its distance to one of double precision and a tolerance that leaves no error to be seen.
 *
 *   adjoint_*   the 784-100-784 classifier at a tolerance of 1e-4: five steps
 *   long_*      the classifier of models/fashion_node.lua by a method of order 3, in double precision: a thousand steps
 *
 * The gradient is lrnde_gradient of the logits.  A solve comes with every one, since a sweep uses up the checkpoints.
 */
#include "classifier.h"
#include "cli/bench.h"
#include "cli/tool.h"
#include "io/file.h"
#include "rig.h"
#include "timing.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_SETTINGS = 8 };

typedef struct problem {
    const char *model, *says;
    int32_t batch;
    double cotangent, seconds; /* size of the logits' entries; to time for */
    const char *settings[MOST_SETTINGS], *exact[MOST_SETTINGS];
    double *gradient; /* the exact one, once it is known */
} problem;

static problem mnist = {.model = "models/mnist_node.lua",
                        .says = "784-100-784 tanh, f32",
                        .batch = BENCH_BATCH,
                        .cotangent = 1e-3, /* as of a mean over the batch */
                        .seconds = 6,
                        .settings = {"solver.atol=1e-4", "solver.rtol=1e-4"},
                        .exact = {"solver.atol=1e-9", "solver.rtol=1e-9"}};
static problem lengthy = {.model = "models/fashion_node.lua",
                          .says = "32-64-32 tanh, f64",
                          .batch = 32,
                          .cotangent = 1,
                          .seconds = 3,
                          .settings = {"precision=f64", "solver.method=bs3", "solver.atol=1e-10", "solver.rtol=1e-10"},
                          .exact = {"solver.atol=1e-13", "solver.rtol=1e-13"}};

typedef struct subject {
    lrnde_solver *solver;
    lrnde_stats stats;
    lrnde_status status;
    double *cotangent;
    int32_t batch;
} subject;

static void solve(void *of)
{
    subject *f = of;
    f->status = lrnde_solve(f->solver, NULL, 0, &f->stats);
}

static void differentiate(void *of)
{
    subject *f = of;
    solve(f);
    if (!f->status) f->status = tool_gradient(f->solver, "logits", f->cotangent, (int64_t)f->batch * BENCH_CLASSES);
}

static double *reals(int64_t n)
{
    double *v = calloc((size_t)n, sizeof *v);
    if (!v) abort();
    return v;
}

/* A solver of p with further settings; params NULL: as it draws them. */
static int open_subject(subject *f, const problem *p, const char *const *further, const double *params, int threads, int training)
{
    const char *settings[2 * MOST_SETTINGS] = {"regularize=false"};
    const lrnde_model_desc *model;
    int n = 1;
    for (const char *const *set = p->settings; *set; set++) settings[n++] = *set;
    for (; *further; further++) settings[n++] = *further;
    int code = bench_model(p->model, settings, &model);
    if (!code) code = bench_classifier(&f->solver, model, p->batch, threads, training);
    if (code) return code;
    f->batch = p->batch;
    f->cotangent = reals((int64_t)p->batch * BENCH_CLASSES);
    bench_random(f->cotangent, sizeof *f->cotangent, (int64_t)p->batch * BENCH_CLASSES, 0.1 * p->cotangent, p->cotangent);
    if (params) tool_set(f->solver, "params", params, model->n_params);
    solve(f);
    return f->status ? cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(f->solver)->text) : EXIT_DONE;
}

static void close_subject(subject *f)
{
    lrnde_destroy(f->solver);
    free(f->cotangent);
}

static double *get(lrnde_solver *s, const char *name)
{
    double *v = reals(lrnde_model(s)->n_params);
    tool_get(s, name, v, lrnde_model(s)->n_params);
    return v;
}

/* The gradient at the parameters of s that is taken for exact. */
static int find_exact(problem *p, lrnde_solver *s, int threads)
{
    subject f = {0};
    const char *further[MOST_SETTINGS] = {"precision=f64", "sensitivity=discrete", "solver.method=dop853"};
    if (p->gradient) return EXIT_DONE;
    double *params = get(s, "params");
    for (int i = 0, n = 3; p->exact[i]; i++) further[n++] = p->exact[i];
    int code = open_subject(&f, p, further, params, threads, 1);
    if (!code) differentiate(&f);
    if (!code && f.status) code = cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(f.solver)->text);
    if (!code) p->gradient = get(f.solver, "grad/params");
    close_subject(&f);
    free(params);
    return code;
}

/* Euclidean distance of s's gradient to the exact one, in lengths of that. */
static double gradient_error(const problem *p, lrnde_solver *s)
{
    double *gradient = get(s, "grad/params"), distance = 0, length = 0;
    for (int64_t i = 0; i < lrnde_model(s)->n_params; i++) {
        distance += (gradient[i] - p->gradient[i]) * (gradient[i] - p->gradient[i]);
        length += p->gradient[i] * p->gradient[i];
    }
    free(gradient);
    return sqrt(distance / length);
}

static int run(problem *p, const char *setting, int threads, lrnde_bench_result *result, lrnde__json *config)
{
    enum { GRADIENT, SOLVE, SIDES };
    subject subjects[SIDES] = {0};
    bench_time times[SIDES];
    char *sensitivity = lrnde__format("sensitivity=%s", setting);
    int code = EXIT_DONE;
    for (int i = 0; i < SIDES && !code; i++)
        code = open_subject(&subjects[i], p, (const char *const[]){sensitivity, NULL}, NULL, threads, i == GRADIENT);
    free(sensitivity);
    if (code) return code;
    lrnde_solver *s = subjects[GRADIENT].solver;
    const bench_side sides[SIDES] = {{differentiate, &subjects[GRADIENT], 1}, {solve, &subjects[SOLVE], 1}};
    threads = lrnde_threads(s);
    bench_compare(sides, SIDES, threads, p->seconds, times);
    for (int i = 0; i < SIDES; i++)
        if (subjects[i].status) return cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(subjects[i].solver)->text);
    if ((code = find_exact(p, s, threads))) return code;
    lrnde_storage storage = lrnde_storage_of(s);
    double added = times[GRADIENT].median - times[SOLVE].median;
    *result = (lrnde_bench_result){.ours_s = added,
                                   .reference_s = times[SOLVE].median,
                                   .least_s = times[GRADIENT].least - times[SOLVE].least,
                                   .reference_least_s = times[SOLVE].least,
                                   .spread = times[GRADIENT].spread * times[GRADIENT].median / added,
                                   .reference = "a solve",
                                   .threads = threads};
    lrnde__json_string(config, "network", p->says);
    lrnde__json_string(config, "method", lrnde_model(s)->method);
    lrnde__json_string(config, "sensitivity", setting);
    lrnde__json_integer(config, "batch", p->batch);
    lrnde__json_number(config, "tolerance", lrnde_model(s)->rtol);
    lrnde__json_integer(config, "nfe", subjects[SOLVE].stats.nfe);
    lrnde__json_integer(config, "steps", subjects[SOLVE].stats.accepted);
    lrnde__json_integer(config, "recomputed", storage.recomputed);
    lrnde__json_number(config, "memory_mib", (double)storage.peak / 0x1p20);
    lrnde__json_number(config, "gradient_error", gradient_error(p, s));
    for (int i = 0; i < SIDES; i++) close_subject(&subjects[i]);
    return EXIT_DONE;
}

#define CASE(problem, prefix, name, setting, target)                                                                             \
    static int run_##prefix##name(int threads, lrnde_bench_result *result, lrnde__json *config)                                  \
    {                                                                                                                            \
        return run(&problem, setting, threads, result, config);                                                                  \
    }                                                                                                                            \
    static const lrnde_bench_case prefix##name = {#prefix #name, "what a gradient by " setting " adds to a solve", target,       \
                                                  run_##prefix##name};                                                           \
    LRNDE_BENCH_CASE(prefix##name)

/* Targets are what was measured and a tenth: solves that became faster made gradients more times as long. */
#define ADJOINT(name, setting, target, long_target)                                                                              \
    CASE(mnist, adjoint_, name, setting, target);                                                                                \
    CASE(lengthy, long_, name, setting, long_target)

ADJOINT(discrete, "discrete", 2.4, 2.5);
ADJOINT(discrete_state, "L.discrete{store='state'}", 3.2, 3.0);
ADJOINT(discrete_10, "L.discrete{checkpoints=10}", 3.2, 6.5);
ADJOINT(interpolating, "interpolating", 3.5, 8.0);
ADJOINT(interpolating_10, "L.interpolating{checkpoints=10}", 4.4, 9.5);
ADJOINT(gauss, "gauss", 1.9, 4.0);
ADJOINT(quadrature, "quadrature", 2.9, 2.2);
ADJOINT(backsolve, "backsolve", 3.2, 7.8);
ADJOINT(backsolve_10, "L.backsolve{checkpoints=10}", 12.0, 7.4);
