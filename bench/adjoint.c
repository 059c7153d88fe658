/*
 * adjoint.c - what a gradient costs by each sensitivity algorithm: the way back against one forward solve.
 *
 * The 784-100-784 classifier at a tolerance of 1e-4.  The way back is lrnde_gradient of the logits after a solve that keeps
 * what it needs; the forward solve keeps nothing.
 */
#include "classifier.h"
#include "cli/bench.h"
#include "rig.h"
#include "timing.h"

typedef struct subject {
    lrnde_solver *solver;
    lrnde_stats stats;
    lrnde_status status;
} subject;

static void solve(void *of)
{
    subject *f = of;
    f->status = lrnde_solve(f->solver, NULL, 0, &f->stats);
}

static void go_back(void *of)
{
    static float cotangent[BENCH_BATCH * BENCH_CLASSES];
    subject *f = of;
    if (cotangent[0] == 0) bench_random(cotangent, sizeof *cotangent, BENCH_BATCH * BENCH_CLASSES, 1e-4, 1e-3);
    f->status = lrnde_gradient(f->solver, "logits", cotangent, sizeof cotangent);
}

static int run(const char *sensitivity, int threads, lrnde_bench_result *result, lrnde__json *config)
{
    enum { BACK, FORWARD, SIDES };
    const char *const settings[] = {sensitivity, "regularize=false", "solver.atol=1e-4", "solver.rtol=1e-4", NULL};
    const lrnde_model_desc *model;
    subject subjects[SIDES] = {0};
    bench_time times[SIDES];
    int code = bench_model("models/mnist_node.lua", settings, &model);
    for (int i = 0; i < SIDES && !code; i++) code = bench_classifier(&subjects[i].solver, model, threads, i == BACK);
    if (code) return code;
    solve(&subjects[BACK]);
    const bench_side sides[SIDES] = {{go_back, &subjects[BACK], 1}, {solve, &subjects[FORWARD], 1}};
    threads = lrnde_threads(subjects[BACK].solver);
    if (!subjects[BACK].status) bench_compare(sides, SIDES, threads, 6, times);
    for (int i = 0; i < SIDES; i++)
        if (subjects[i].status) return cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(subjects[i].solver)->text);
    *result = (lrnde_bench_result){.ours_s = times[BACK].median,
                                   .reference_s = times[FORWARD].median,
                                   .least_s = times[BACK].least,
                                   .reference_least_s = times[FORWARD].least,
                                   .spread = times[BACK].spread,
                                   .reference = "a solve",
                                   .threads = threads};
    lrnde__json_string(config, "network", "784-100-784 tanh, f32");
    lrnde__json_string(config, "method", model->method);
    lrnde__json_integer(config, "batch", BENCH_BATCH);
    lrnde__json_number(config, "tolerance", model->rtol);
    lrnde__json_integer(config, "nfe", subjects[FORWARD].stats.nfe);
    lrnde__json_number(config, "memory_mib", (double)lrnde_memory(subjects[BACK].solver) / 0x1p20);
    for (int i = 0; i < SIDES; i++) lrnde_destroy(subjects[i].solver);
    return EXIT_DONE;
}

#define ADJOINT(name, target)                                                                                                    \
    static int run_##name(int threads, lrnde_bench_result *result, lrnde__json *config)                                          \
    {                                                                                                                            \
        return run("sensitivity=" #name, threads, result, config);                                                               \
    }                                                                                                                            \
    static const lrnde_bench_case adjoint_##name = {"adjoint_" #name, "a gradient by " #name " against a forward solve", target, \
                                                    run_##name};                                                                 \
    LRNDE_BENCH_CASE(adjoint_##name)

ADJOINT(discrete, 2.4);
ADJOINT(interpolating, 3.5);
ADJOINT(backsolve, 3.2);
ADJOINT(gauss, 1.6);
ADJOINT(quadrature, 2.5);
