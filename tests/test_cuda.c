/*
 * test_cuda.c - the emitted CUDA text against the reference evaluator, on this CPU (cuda_launch.h): what test_kernels asks of the
 * C kernels is asked of these, under every schedule.
 */
#include "cuda_launch.h"
#include "registries.h"

/* Every kernel at some batch sizes, each under another schedule; eps: of its arithmetic, or 0.  Returns the worst. */
static double check_within(const variant *v, double eps, const int *batches, int n)
{
    const lrnde_model_desc *m = load_variant(v);
    comparison c = {.what = v, .driver = &SIM, .eps = eps > 0 ? eps : eps_of(m)};
    for (int i = 0; i < n; i++) {
        c.batch = batches[i];
        setenv("SIM_ORDER", ORDERS[i % N_ORDERS], 1);
        assert_int_equal(check_batch(&c, m), count_kernels(m));
    }
    print_message("           %-28s %-8s %d kernels, worst %.1f eps\n", v->file, m->method, count_kernels(m), c.worst);
    if (c.failures) fail_msg("%s: %d numbers are wrong", v->file, c.failures);
    return c.worst;
}

static void check_batches(const variant *v, const int *batches, int n)
{
    check_within(v, 0, batches, n);
}

/* A few samples, one, and of small models more than two tiles: test_cuda_batches has large batches of all. */
static void shipped_models(void **state)
{
    (void)state;
    names models = lua_files("models");
    for (int i = 0; i < models.n; i++) {
        const lrnde_model_desc *m;
        const variant v = {models.path[i], NULL, {NULL}};
        build_variant(&v, NULL, &TOOL, &m);
        check_batches(&v, (const int[]){7, 1, 67}, m->n_params < LARGE ? 3 : 2);
    }
}

static void both_precisions(void **state)
{
    (void)state;
    names models = lua_files("tests/models");
    for (int i = 0; i < models.n; i++) {
        check_batches(&(variant){models.path[i], NULL, {"precision=f32"}}, (const int[]){1, 7, 35}, 3);
        check_batches(&(variant){models.path[i], NULL, {"precision=f64"}}, (const int[]){35, 1, 7}, 3);
    }
}

/* Whole tiles, and a sample more. */
static void large_batches(void **state)
{
    (void)state;
    check_batches(&(variant){"tests/models/mixed.lua", NULL, {NULL}}, (const int[]){512, 513}, 2);
}

static void other_choices(void **state)
{
    (void)state;
    static const variant variants[] = {
        {"tests/models/mixed.lua", "tsit5", {"regularize.estimate=stiffness", "precision=f32"}},
        {"tests/models/mixed.lua", "vcab3", {"regularize.gradient=partial"}},
        {"tests/models/wide.lua", NULL, {"accumulate=double", "sensitivity=interpolating"}},
        {"tests/models/activations.lua", NULL, {"sensitivity=interpolating"}},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) check_batches(&variants[i], (const int[]){7, 40}, 2);
}

/* Three products of tf32 are as good as one of f32, to which the bound is the same; one is as good as its ten bits, no better. */
static void tensor_cores(void **state)
{
    (void)state;
    const double tf32 = ldexp(1, -10);
    check_batches(&(variant){"tests/models/wide.lua", NULL, {"matmul=3xtf32"}}, (const int[]){7, 19}, 2);
    const double worst = check_within(&(variant){"tests/models/wide.lua", NULL, {"matmul=tf32"}}, tf32, (const int[]){7}, 1);
    assert_true(worst * tf32 > 64 * FLT_EPSILON);
}

int main(int argc, char **argv)
{
    sim_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_models), cmocka_unit_test(both_precisions), cmocka_unit_test(large_batches),
        cmocka_unit_test(other_choices),  cmocka_unit_test(tensor_cores),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
