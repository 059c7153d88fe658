/* spiral.c - the generated right-hand side of a small network against one matrix product a layer and a vectorised tanh. */
#include "cli/bench.h"
#include "library.h"
#include "network.h"
#include "rig.h"

enum { BATCH = 1024, TIMES = 100, SIDES = 3 }; /* times: one evaluation takes no longer than what disturbs it */

static int run_rhs(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    (void)threads;
    const lrnde_model_desc *model;
    bench_rig rig;
    int code = bench_model("bench/spiral.lua", (const char *const[]){NULL}, &model);
    if (!code) code = bench_rig_open(&rig, model, BATCH, 1);
    if (code) return code;
    bench_network peer = {
        .batch = BATCH, .wide = 2, .narrow = 50, .threads = 1, .launches = TIMES, .evaluations = 1, .order = BENCH_ROWS};
    bench_network_open(&peer);
    bench_network columns = peer;
    columns.order = BENCH_COLUMNS;
    bench_kernel rhs = {&rig, &model->forward->rhs, TIMES};
    bench_side sides[SIDES] = {
        {bench_launch, &rhs, TIMES}, {bench_network_run, &peer, TIMES}, {bench_network_run, &columns, TIMES}};
    bench_time times[SIDES];
    bench_compare(sides, SIDES, 1, 2, times);
    int faster = times[1].median < times[2].median ? 1 : 2;
    *result = (lrnde_bench_result){.ours_s = times[0].median,
                                   .reference_s = times[faster].median,
                                   .least_s = times[0].least,
                                   .reference_least_s = times[faster].least,
                                   .spread = times[0].spread,
                                   .reference = "an sgemm a layer and vectorised tanh",
                                   .threads = 1};
    lrnde__json_string(config, "network", "2-50-2 tanh, f32");
    bench_library(result, config);
    lrnde__json_integer(config, "batch", BATCH);
    lrnde__json_integer(config, "tile", model->tile);
    lrnde__json_number(config, "rows_s", times[1].median);
    lrnde__json_number(config, "columns_s", times[2].median);
    bench_network_close(&peer);
    bench_rig_close(&rig);
    return EXIT_DONE;
}

static const lrnde_bench_case spiral_rhs = {
    "spiral_rhs", "2-50-2 f32, batch 1024, one thread, against an sgemm a layer and the C library's vectorised tanh", 0.7,
    run_rhs};
LRNDE_BENCH_CASE(spiral_rhs);
