/*
 * biased.c - what local regularization adds to a training step, at equal work of the solver.
 *
 * Two solvers of the 784-100-784 classifier, one with biased sampling, see the same images; parameters are put back before
 * every step, so both solve the same problem with the same steps.  What is added, the reverse of one recorded step, does not
 * depend on the tolerance; what it is added to does.
 *
 * In products of a layer's size (an evaluation has 2, its reverse 4): Tsit5's seven stages are 7 products to recompute the
 * hidden layers and 4 x 7 - 1 to reverse them, 34; in a discrete sweep 12 more than the sweep's own and 4 for k1, 16.  With
 * five steps a training step has 64 + 120 without (discrete), 64 + 125 (interpolating, 25 evaluations of 5): at best the
 * ratios are 1.09 and 1.18.
 */
#include "classifier.h"
#include "cli/bench.h"
#include "rig.h"
#include "timing.h"

#include <stdlib.h>

typedef struct training {
    lrnde_solver *solver;
    float *params;
    size_t params_bytes;
    lrnde_report report;
    lrnde_status status;
} training;

static void train(void *of)
{
    training *t = of;
    lrnde_set(t->solver, "params", t->params, t->params_bytes);
    t->status = lrnde_train_step(t->solver, &t->report);
}

static int open_training(training *t, const lrnde_model_desc *model, int threads)
{
    int code = bench_classifier(&t->solver, model, BENCH_BATCH, threads, 1);
    if (code) return code;
    t->params_bytes = (size_t)model->n_params * sizeof *t->params;
    t->params = malloc(t->params_bytes);
    if (!t->params) abort();
    lrnde_get(t->solver, "params", t->params, t->params_bytes);
    train(t);
    return t->status ? cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(t->solver)->text) : EXIT_DONE;
}

static void close_training(training *t)
{
    lrnde_destroy(t->solver);
    free(t->params);
}

/* settings: NULL-terminated, the first of them to be filled in here. */
static int compare(const char *settings[], int threads, lrnde_bench_result *result, lrnde__json *config)
{
    enum { BIASED, NONE, SIDES };
    const char *const regularize[SIDES] = {"regularize=true", "regularize=false"};
    const lrnde_model_desc *model;
    training training[SIDES] = {0};
    bench_side sides[SIDES];
    bench_time times[SIDES];
    for (int i = 0; i < SIDES; i++) {
        settings[0] = regularize[i];
        int code = bench_model("models/mnist_node.lua", settings, &model);
        if (!code) code = open_training(&training[i], model, threads);
        if (code) return code;
        sides[i] = (bench_side){train, &training[i], 1};
    }
    threads = lrnde_threads(training[NONE].solver);
    bench_compare(sides, SIDES, threads, 10, times);
    *result = (lrnde_bench_result){.ours_s = times[BIASED].median,
                                   .reference_s = times[NONE].median,
                                   .least_s = times[BIASED].least,
                                   .reference_least_s = times[NONE].least,
                                   .spread = times[BIASED].spread,
                                   .reference = "without",
                                   .threads = threads};
    lrnde__json_string(config, "network", "784-100-784 tanh, f32");
    lrnde__json_string(config, "method", model->method);
    lrnde__json_string(config, "sensitivity", model->sensitivity.name);
    lrnde__json_integer(config, "batch", BENCH_BATCH);
    lrnde__json_number(config, "tolerance", model->rtol);
    lrnde__json_integer(config, "nfe", training[BIASED].report.forward.nfe);
    lrnde__json_integer(config, "nfe_none", training[NONE].report.forward.nfe);
    lrnde__json_integer(config, "nfe_adjoint", training[NONE].report.adjoint.nfe);
    lrnde__json_integer(config, "nfe_local", training[BIASED].report.forward.nfe_local);
    for (int i = 0; i < SIDES; i++) close_training(&training[i]);
    return EXIT_DONE;
}

static int run_paper(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    return compare((const char *[]){NULL, "sensitivity=interpolating", NULL}, threads, result, config);
}

static int run_loose(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    const char *settings[] = {NULL, "sensitivity=interpolating", "solver.atol=1e-4", "solver.rtol=1e-4", NULL};
    return compare(settings, threads, result, config);
}

static int run_discrete(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    const char *settings[] = {NULL, "sensitivity=discrete", "solver.atol=1e-4", "solver.rtol=1e-4", NULL};
    return compare(settings, threads, result, config);
}

#define WHAT "a training step with biased regularization against one without, "
static const lrnde_bench_case biased_cost = {"biased_cost", WHAT "interpolating adjoint, the paper's tolerance", 1.10, run_paper};
static const lrnde_bench_case biased_cost_1e4 = {"biased_cost_1e4", WHAT "interpolating adjoint, 1e-4: five steps", 1.10,
                                                 run_loose};
static const lrnde_bench_case biased_discrete_1e4 = {"biased_discrete_1e4", WHAT "discrete adjoint, 1e-4: five steps", 1.10,
                                                     run_discrete};
LRNDE_BENCH_CASE(biased_cost);
LRNDE_BENCH_CASE(biased_cost_1e4);
LRNDE_BENCH_CASE(biased_discrete_1e4);
