/*
 * test_cuda_batches.c - every kernel of every shipped model, as emitted CUDA text on this CPU (cuda_launch.h), at the batches
 * that models are trained with: many tiles to a worker, a worker to every tile, more workers than blocks, a last tile that is
 * padded, and sums over all of them.
 *
 * The batch has many copies of few samples, in an order in which no tiles are alike, so that the reference evaluator has only
 * these few to evaluate.
 */
#include "cuda_launch.h"
#include "registries.h"

#include <time.h>

/* 512 = 64 * 8, whole tiles, many to a worker; 513 = 57 * 9, a sample more, a worker to every tile. */
static const struct {
    int batch, copies, workers;
} BATCHES[] = {{512, 64, 3}, {513, 57, INT32_MAX}};

static void check_model(const char *file, const char *order)
{
    const variant v = {file, NULL, {NULL}};
    const lrnde_model_desc *m = load_variant(&v);
    comparison c = {.what = &v, .driver = &SIM, .eps = eps_of(m)};
    const clock_t start = clock();
    setenv("SIM_ORDER", order, 1);
    for (int i = 0; i < 2; i++) {
        c.batch = BATCHES[i].batch, c.copies = BATCHES[i].copies, c.threads = BATCHES[i].workers;
        assert_int_equal(check_batch(&c, m), count_kernels(m));
    }
    print_message("           %-28s %-8s %d kernels, worst %.1f eps, %.1f s\n", v.file, m->method, count_kernels(m), c.worst,
                  (double)(clock() - start) / CLOCKS_PER_SEC);
    if (c.failures) fail_msg("%s: %d numbers are wrong", v.file, c.failures);
}

static void shipped_models(void **state)
{
    (void)state;
    names models = lua_files("models");
    for (int i = 0; i < models.n; i++) check_model(models.path[i], ORDERS[i % N_ORDERS]);
}

int main(int argc, char **argv)
{
    sim_begin(argc, argv);
    const struct CMUnitTest tests[] = {cmocka_unit_test(shipped_models)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
