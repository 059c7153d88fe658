/*
 * mnist.c - kernels of the 784-100-784 network, batch 512, f32, against the matrix products they cannot do without.
 *
 *   rhs      one evaluation: 2 products
 *   step     six evaluations, every combination of stages, the error sums: 12 products
 *   reverse  its transpose from the tape, 24 products, against the step that writes the tape
 */
#include "cli/bench.h"
#include "library.h"
#include "network.h"
#include "rig.h"

enum { BATCH = 512, EVALUATIONS = 6 }; /* of a run: as in a step, what one reads is in the cache already */

static int open_rig(int threads, bench_rig *rig)
{
    const lrnde_model_desc *model;
    int code =
        bench_model("models/mnist_node.lua", (const char *const[]){"sensitivity=discrete", "regularize=false", NULL}, &model);
    return code ? code : bench_rig_open(rig, model, BATCH, threads);
}

static void describe(const bench_rig *rig, lrnde__json *config)
{
    lrnde__json_string(config, "network", "784-100-784 tanh, f32");
    lrnde__json_string(config, "method", rig->model->method);
    lrnde__json_integer(config, "batch", BATCH);
    lrnde__json_integer(config, "tile", rig->model->tile);
}

/* So many launches against six pairs of products, in the order of samples that suits them best; times are of one launch. */
static int against_products(const lrnde_kernel *kernel, int launches, bench_rig *rig, lrnde_bench_result *result,
                            lrnde__json *config)
{
    enum { OURS, ROWS, COLUMNS, SIDES };
    bench_network rows = {.batch = BATCH, .wide = 784, .narrow = 100, .bare = 1, .launches = launches, .order = BENCH_ROWS};
    rows.evaluations = EVALUATIONS / launches;
    rows.threads = rig->args.workers;
    bench_network_open(&rows);
    bench_network columns = rows;
    columns.order = BENCH_COLUMNS;
    bench_kernel ours = {rig, kernel, launches};
    bench_side sides[SIDES] = {
        {bench_launch, &ours, launches}, {bench_network_run, &rows, launches}, {bench_network_run, &columns, launches}};
    bench_time times[SIDES];
    bench_compare(sides, SIDES, rows.threads, 4, times);
    int faster = times[ROWS].median < times[COLUMNS].median ? ROWS : COLUMNS;
    *result = (lrnde_bench_result){.ours_s = times[OURS].median,
                                   .reference_s = times[faster].median,
                                   .least_s = times[OURS].least,
                                   .reference_least_s = times[faster].least,
                                   .spread = times[OURS].spread,
                                   .reference = "the sgemms alone",
                                   .threads = rows.threads};
    describe(rig, config);
    bench_library(result, config);
    lrnde__json_number(config, "rows_s", times[ROWS].median);
    lrnde__json_number(config, "columns_s", times[COLUMNS].median);
    bench_network_close(&rows);
    bench_rig_close(rig);
    return EXIT_DONE;
}

static int run_rhs(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    bench_rig rig;
    int code = open_rig(threads, &rig);
    return code ? code : against_products(&rig.model->forward->rhs, EVALUATIONS, &rig, result, config);
}

static int run_step(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    bench_rig rig;
    int code = open_rig(threads, &rig);
    return code ? code : against_products(&rig.model->forward->step, 1, &rig, result, config);
}

static int run_reverse(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    enum { REVERSE, TAPE, PLAIN, SIDES };
    bench_rig rig;
    int code = open_rig(threads, &rig);
    if (code) return code;
    const lrnde_system_desc *sys = rig.model->forward;
    bench_kernel kernels[SIDES] = {{&rig, &sys->rev_step, 1}, {&rig, &sys->step_tape, 1}, {&rig, &sys->step, 1}};
    bench_side sides[SIDES];
    bench_time times[SIDES];
    for (int i = SIDES - 1; i >= 0; i--) bench_launch(&kernels[i]); /* reverse reads what the step has written */
    for (int i = 0; i < SIDES; i++) sides[i] = (bench_side){bench_launch, &kernels[i], 1};
    bench_compare(sides, SIDES, rig.args.workers, 6, times);
    *result = (lrnde_bench_result){.ours_s = times[REVERSE].median,
                                   .reference_s = times[TAPE].median,
                                   .least_s = times[REVERSE].least,
                                   .reference_least_s = times[TAPE].least,
                                   .spread = times[REVERSE].spread,
                                   .reference = "the step",
                                   .threads = rig.args.workers};
    describe(&rig, config);
    lrnde__json_number(config, "step_without_tape_s", times[PLAIN].median);
    bench_rig_close(&rig);
    return EXIT_DONE;
}

static const lrnde_bench_case mnist_rhs = {
    "mnist_rhs", "a right-hand side, 784-100-784 f32, batch 512, against its pair of sgemms", 1.10, run_rhs};
static const lrnde_bench_case mnist_step = {
    "mnist_step", "a whole Tsit5 step with its error sums, against its six pairs of sgemms", 1.18, run_step};
static const lrnde_bench_case mnist_reverse = {"mnist_reverse", "the reverse of a Tsit5 step from its tape, against the step",
                                               2.4, run_reverse};
LRNDE_BENCH_CASE(mnist_rhs);
LRNDE_BENCH_CASE(mnist_step);
LRNDE_BENCH_CASE(mnist_reverse);
