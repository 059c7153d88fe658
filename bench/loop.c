/*
 * loop.c - what the solver spends beside its kernels: control, records, launches, statistics.
 *
 * Two equations, one sample, one thread: an adaptive solve, against the kernels alone in as many calls as the solve makes.
 * The difference, over the steps tried, is held against a microsecond.
 */
#include "cli/bench.h"
#include "rig.h"
#include "timing.h"

static const double BUDGET_S = 1e-6;

enum { SOLVES = 10 }; /* of a run */

typedef struct bare_steps {
    bench_rig rig;
    int64_t steps;
} bare_steps;

static void solve(void *solver)
{
    for (int i = 0; i < SOLVES; i++) lrnde_solve(solver, NULL, 0, NULL);
}

static void step(void *of)
{
    bare_steps *bare = of;
    const lrnde_args *a = &bare->rig.args;
    for (int64_t i = 0; i < SOLVES * bare->steps; i++) bare->rig.model->forward->step.tile(a, 0, a->tiles, 0);
}

static int run(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    (void)threads;
    const lrnde_model_desc *model;
    bare_steps bare;
    lrnde_options options = {.size = sizeof options, .device = "cpu"};
    lrnde_solver *solver;
    lrnde_error error;
    lrnde_stats stats;
    int code = bench_model("models/lotka_volterra.lua", (const char *const[]){NULL}, &model);
    if (!code) code = bench_rig_open(&bare.rig, model, 1, 1);
    if (code) return code;
    options.threads = 1;
    if (lrnde_create(&solver, model, &options, &error)) return cli_error(&lrnde_bench_tool, "%s", error.text);
    if (lrnde_solve(solver, NULL, 0, &stats)) return cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(solver)->text);
    bare.steps = stats.accepted + stats.rejected;
    int count = (int)(SOLVES * bare.steps);
    bench_side sides[] = {{solve, solver, count}, {step, &bare, count}};
    bench_time times[2];
    bench_compare(sides, 2, 1, 2, times);
    *result = (lrnde_bench_result){.ours_s = times[0].median - times[1].median,
                                   .reference_s = BUDGET_S,
                                   .least_s = times[0].least - times[1].least,
                                   .reference_least_s = BUDGET_S,
                                   .spread = times[0].spread,
                                   .reference = "the budget",
                                   .threads = 1};
    lrnde__json_string(config, "model", model->name);
    lrnde__json_string(config, "method", model->method);
    lrnde__json_integer(config, "batch", 1);
    lrnde__json_integer(config, "steps", bare.steps);
    lrnde__json_number(config, "step_s", times[0].median);
    lrnde__json_number(config, "kernel_s", times[1].median);
    lrnde_destroy(solver);
    bench_rig_close(&bare.rig);
    return EXIT_DONE;
}

static const lrnde_bench_case loop_overhead = {
    "loop_overhead", "time of a step outside of kernels: Lotka-Volterra, one sample, one thread, against a microsecond", 1, run};
LRNDE_BENCH_CASE(loop_overhead);
