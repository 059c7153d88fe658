/* spiral.c - the generated right-hand side of a small network against one matrix product a layer and a vectorised tanh. */
#include "cli/bench.h"
#include "network.h"
#include "rig.h"

enum { BATCH = 1024, SIDES = 3 };

/* A hundred evaluations: one alone takes no longer than what disturbs it. */
static void launch_often(void *kernel)
{
    for (int i = 0; i < 100; i++) bench_launch(kernel);
}

static int run_rhs(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    (void)threads;
    const lrnde_model_desc *model;
    bench_rig rig;
    int code = bench_model("bench/spiral.lua", (const char *const[]){NULL}, &model);
    if (!code) code = bench_rig_open(&rig, model, BATCH, 1);
    if (code) return code;
    bench_network peer = {.batch = BATCH, .wide = 2, .narrow = 50, .threads = 1, .repeat = 100, .order = BENCH_ROWS};
    bench_network_open(&peer);
    bench_network columns = peer;
    columns.order = BENCH_COLUMNS;
    bench_kernel rhs = {&rig, &model->forward->rhs};
    bench_side sides[SIDES] = {{launch_often, &rhs}, {bench_network_run, &peer}, {bench_network_run, &columns}};
    bench_time times[SIDES];
    bench_compare(sides, SIDES, 1, 2, times);
    int faster = times[1].median < times[2].median ? 1 : 2;
    *result = (lrnde_bench_result){.ours_s = times[0].median / 100,
                                   .reference_s = times[faster].median / 100,
                                   .least_s = times[0].least / 100,
                                   .reference_least_s = times[faster].least / 100,
                                   .spread = times[0].spread,
                                   .reference = "an sgemm a layer and vectorised tanh",
                                   .threads = 1};
    lrnde__json_string(config, "network", "2-50-2 tanh, f32");
    lrnde__json_integer(config, "batch", BATCH);
    lrnde__json_integer(config, "tile", model->tile);
    lrnde__json_number(config, "rows_s", times[1].median / 100);
    lrnde__json_number(config, "columns_s", times[2].median / 100);
    bench_network_close(&peer);
    bench_rig_close(&rig);
    return EXIT_DONE;
}

static const lrnde_bench_case spiral_rhs = {
    "spiral_rhs", "2-50-2 f32, batch 1024, one thread, against an sgemm a layer and the C library's vectorised tanh", 0.7,
    run_rhs};
LRNDE_BENCH_CASE(spiral_rhs);
