/*
 * rosenbrock.c - a step of rodas5 over HIRES, eight stiff equations, against LAPACK on the systems of that step alone: one
 * factorisation and eight solutions a sample.  The step computes the Jacobian, stages and error sums besides.
 */
#include "cli/bench.h"
#include "library.h"
#include "rig.h"
#include "timing.h"

#include <string.h>

extern void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *pivots, int *info);
extern void dgetrs_(const char *trans, const int *n, const int *columns, const double *a, const int *lda, const int *pivots,
                    double *b, const int *ldb, int *info, size_t trans_length);

enum { BATCH = 256, TIMES = 20, EQUATIONS = 8, STAGES = 8 };

typedef struct systems {
    double matrix[BATCH][EQUATIONS * EQUATIONS], right[BATCH][STAGES][EQUATIONS];
} systems;

static void solve_systems(void *of)
{
    const systems *s = of;
    const int n = EQUATIONS, one = 1;
    double a[EQUATIONS * EQUATIONS], x[EQUATIONS];
    int pivots[EQUATIONS], info;
    for (int time = 0; time < TIMES; time++)
        for (int sample = 0; sample < BATCH; sample++) {
            memcpy(a, s->matrix[sample], sizeof a);
            dgetrf_(&n, &n, a, &n, pivots, &info);
            for (int stage = 0; stage < STAGES; stage++) {
                memcpy(x, s->right[sample][stage], sizeof x);
                dgetrs_("N", &n, &one, a, &n, pivots, x, &n, &info, 1);
            }
        }
}

static int run(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    (void)threads;
    static systems peer;
    const lrnde_model_desc *model;
    bench_rig rig;
    int code = bench_model("tests/numeric/models/hires.lua", (const char *const[]){NULL}, &model);
    if (!code) code = bench_rig_open(&rig, model, BATCH, 1);
    if (code) return code;
    bench_random(peer.matrix, 8, (int64_t)(sizeof peer.matrix / 8), -1, 2);
    bench_random(peer.right, 8, (int64_t)(sizeof peer.right / 8), -1, 2);
    for (int sample = 0; sample < BATCH; sample++)
        for (int i = 0; i < EQUATIONS; i++) peer.matrix[sample][i * EQUATIONS + i] += 4;
    bench_kernel step = {&rig, &model->forward->step, TIMES};
    bench_side sides[] = {{bench_launch, &step, TIMES}, {solve_systems, &peer, TIMES}};
    bench_time times[2];
    bench_compare(sides, 2, 1, 2, times);
    *result = (lrnde_bench_result){.ours_s = times[0].median,
                                   .reference_s = times[1].median,
                                   .least_s = times[0].least,
                                   .reference_least_s = times[1].least,
                                   .spread = times[0].spread,
                                   .reference = "LAPACK on its systems alone",
                                   .threads = 1};
    lrnde__json_string(config, "model", model->name);
    bench_library(result, config);
    lrnde__json_string(config, "method", model->method);
    lrnde__json_integer(config, "batch", BATCH);
    lrnde__json_integer(config, "tile", model->tile);
    bench_rig_close(&rig);
    return EXIT_DONE;
}

static const lrnde_bench_case rosenbrock_step = {
    "rosenbrock_step",
    "a step of rodas5 over HIRES, batch 256, one thread, against LAPACK's dgetrf and dgetrs on its systems alone", 1, run};
LRNDE_BENCH_CASE(rosenbrock_step);
