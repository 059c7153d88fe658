/*
 * test_cuda.c - every kernel of every shipped model, as emitted CUDA text on this CPU (cuda_launch.h), against the reference
 * evaluator: what test_kernels asks of the C kernels is asked of these, at each batch under another schedule.
 */
#include "cuda_launch.h"
#include "registries.h"

#include <time.h>

/*
 * Batches that models are trained with have many copies of few samples, in an order in which no tiles are alike, so that the
 * evaluator has only these few to evaluate.  512 = 64 * 8: whole tiles, many to a worker; 513 = 57 * 9: a sample more, a last
 * tile that is padded, a worker to every tile, more workers than blocks.
 */
static const struct {
    int batch, copies, workers;
} BATCHES[] = {{7, 0, 0}, {1, 0, 0}, {67, 0, 0}, {512, 64, 3}, {513, 57, INT32_MAX}};

static void check_model(const char *file, const char *large_order)
{
    const variant v = {file, NULL, {NULL}};
    const lrnde_model_desc *m = load_variant(&v);
    comparison c = {.what = &v, .driver = &SIM, .eps = eps_of(m)};
    const clock_t start = clock();
    for (size_t i = 0; i < sizeof BATCHES / sizeof *BATCHES; i++) {
        if (BATCHES[i].batch == 67 && m->n_params >= LARGE) continue;
        c.batch = BATCHES[i].batch, c.copies = BATCHES[i].copies, c.threads = BATCHES[i].workers;
        setenv("SIM_ORDER", c.copies ? large_order : ORDERS[i % N_ORDERS], 1);
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
