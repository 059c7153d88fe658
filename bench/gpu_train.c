/*
 * gpu_train.c - a training step of the paper's classifier, with its recipe (unbiased sampling, a fresh automatic step), against
 * the paper's 235 ms: 0.49 hours for 7500 steps, its table 1.  Parameters are put back before every step.
 */
#include "classifier.h"
#include "gpu.h"

#include <stdlib.h>

static const double PAPER_S = 0.49 * 3600 / 7500;

typedef struct training {
    lrnde_solver *solver;
    float *params;
    size_t bytes;
    lrnde_report report;
} training;

static void train(void *of)
{
    training *t = of;
    lrnde_set(t->solver, "params", t->params, t->bytes);
    lrnde_train_step(t->solver, &t->report);
}

static int run(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    enum { FEW = 8 };
    (void)threads;
    training t;
    bench_time time;
    int code = bench_gpu_open(&t.solver, "models/mnist_node.lua", (const char *const[]){NULL}, BENCH_BATCH, FEW, 1, result);
    if (code || !t.solver) return code;
    t.bytes = (size_t)lrnde_model(t.solver)->n_params * sizeof *t.params;
    t.params = malloc(t.bytes);
    if (!t.params) abort();
    bench_classifier_see(t.solver, lrnde_batch(t.solver));
    lrnde_get(t.solver, "params", t.params, t.bytes);
    if (lrnde_train_step(t.solver, &t.report)) return cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(t.solver)->text);
    bench_compare(&(bench_side){train, &t, 1}, 1, 0, 4, &time);
    bench_gpu_result(result, &time, "the paper", PAPER_S);
    bench_gpu_describe(t.solver, config);
    lrnde__json_integer(config, "batch", lrnde_batch(t.solver));
    lrnde__json_string(config, "sensitivity", lrnde_model(t.solver)->sensitivity.name);
    lrnde__json_integer(config, "nfe", t.report.forward.nfe);
    lrnde__json_integer(config, "nfe_adjoint", t.report.adjoint.nfe);
    lrnde_destroy(t.solver);
    free(t.params);
    return EXIT_DONE;
}

static const lrnde_bench_case gpu_train = {
    "gpu_train", "on a GPU, not run on one yet: a training step of mnist_node, f32, batch 512, against the paper's 235 ms",
    6e-3 / 0.235, run};
LRNDE_BENCH_CASE(gpu_train);
