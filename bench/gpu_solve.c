/*
 * gpu_solve.c - the forward solve of the paper's classifier's equation, 784-100-784, f32, batch 512, on [0, 10] at tolerance
 * 1e-5, against libraries that solve the same by the same tableau from the same states with the same weights on the same GPU.
 * Each has a controller of its own: evaluations, and how far apart the solutions are, stand beside the times.
 */
#include "classifier.h"
#include "gpu.h"
#include "peer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double TOLERANCE = 1e-5, END = 10;

static int compare(const char *library, const char *method, lrnde_bench_result *result, lrnde__json *config)
{
    enum { FEW = 8 };
    static char reference[160];
    const char *settings[] = {"solver.atol=1e-5", "solver.rtol=1e-5", "solver.tspan={0,10}", "regularize=false", method, NULL};
    lrnde_solver *s;
    lrnde_stats stats;
    bench_peer peer;
    bench_time times[2];
    int code = bench_gpu_open(&s, "models/mnist_node.lua", settings, BENCH_BATCH, FEW, 0, result);
    if (code || !s) return code;
    const size_t n = (size_t)lrnde_batch(s) * (size_t)lrnde_model(s)->state, bytes = n * sizeof(float);
    float *u = malloc(bytes);
    if (!u) abort();
    bench_classifier_see(s, lrnde_batch(s));
    lrnde_get(s, "x", u, bytes);
    bench_peer_open(&peer, library, s, u, TOLERANCE, END);
    snprintf(reference, sizeof reference, "%s", peer.process ? peer.about : library);
    if (lrnde_solve(s, NULL, 0, &stats)) code = cli_error(&lrnde_bench_tool, "%s", lrnde_last_error(s)->text);
    lrnde_get(s, "u", u, bytes);
    if (!code) {
        bench_side sides[] = {{bench_gpu_solve, s, 1}, {bench_peer_solve, &peer, BENCH_PEER_SOLVES}};
        bench_compare(sides, peer.process ? 2 : 1, 0, 4, times);
        bench_gpu_result(result, &times[0], reference, peer.process ? times[1].median : NAN);
        if (peer.process) result->reference_least_s = times[1].least;
        bench_gpu_describe(s, config);
        lrnde__json_integer(config, "batch", lrnde_batch(s));
        lrnde__json_integer(config, "nfe", stats.nfe);
        lrnde__json_string(config, "peer", peer.about);
        if (peer.process) {
            lrnde__json_integer(config, "nfe_peer", peer.nfe);
            lrnde__json_number(config, "apart", bench_peer_apart(&peer, u, n));
        }
    }
    bench_peer_close(&peer);
    lrnde_destroy(s);
    free(u);
    return code;
}

static int run_torchdiffeq(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    (void)threads;
    return compare("torchdiffeq", "solver.method=dp5", result, config);
}

static int run_diffrax(int threads, lrnde_bench_result *result, lrnde__json *config)
{
    (void)threads;
    return compare("diffrax", "solver.method=tsit5", result, config);
}

#define WHAT "on a GPU, not run on one yet: a forward solve of mnist_node's equation, f32, batch 512, against "
static const lrnde_bench_case gpu_solve_torchdiffeq = {"gpu_solve_torchdiffeq", WHAT "torchdiffeq", 1 / 30.0, run_torchdiffeq};
static const lrnde_bench_case gpu_solve_diffrax = {"gpu_solve_diffrax", WHAT "diffrax", 1 / 8.0, run_diffrax};
LRNDE_BENCH_CASE(gpu_solve_torchdiffeq);
LRNDE_BENCH_CASE(gpu_solve_diffrax);
