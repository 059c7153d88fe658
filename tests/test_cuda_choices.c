/*
 * test_cuda_choices.c - the emitted CUDA text against the reference evaluator, as test_cuda has it of shipped models: of test
 * models in both precisions, and what a model may choose.
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

/* Without tensor cores, which have all of this model's products in f32 unless it says so; tf32 is as good as its ten bits, no better. */
static void asked_for(void **state)
{
    (void)state;
    const double tf32 = ldexp(1, -10);
    check_batches(&(variant){"tests/models/wide.lua", NULL, {"matmul=native"}}, (const int[]){7, 19}, 2);
    const double worst = check_within(&(variant){"tests/models/wide.lua", NULL, {"matmul=tf32"}}, tf32, (const int[]){7}, 1);
    assert_true(worst * tf32 > 64 * FLT_EPSILON);
}

/* A warp's sums of 4096 products between a quarter and one, by what the text multiplies with: tensor cores lose no more than FMA. */
static void long_sums(void **state)
{
    (void)state;
    enum { TERMS = 4096, AT_ONCE = 8, SAMPLES = 8, TILE_ROWS = 16 };
    static const char *const KERNELS =
        "template <class way> static __device__ void add_up(const float *w, const float *x, float *y)\n"
        "{\n"
        "    float s[1][4] = {};\n"
        "    for (int j = 0; j < 4096; j += 8) way::template multiply<8, 1>(s, w + j * 16, x + j * 8);\n"
        "    for (int e = 0; e < 4; e++)\n"
        "        y[way::template row<8>(e / 2) * 8 + way::template sample<8>(e / 2) + e % 2] = s[0][e];\n"
        "}\n"
        "extern \"C\" void long_sums(bool tensor_cores, const float *w, const float *x, float *y)\n"
        "{\n"
        "    sim::launch([&] { tensor_cores ? add_up<lrnde_mma>(w, x, y) : add_up<lrnde_fma>(w, x, y); }, {1, 32, false});\n"
        "}\n";
    static _Alignas(16) float w[TERMS * TILE_ROWS], x[TERMS * SAMPLES], y[TILE_ROWS * SAMPLES];
    const lrnde_model_desc *m;
    build_variant(&(variant){"tests/models/wide.lua", NULL, {NULL}}, NULL, &TOOL, &m);
    const char *text = lrnde_text_for(m, &SIM)->text;
    char *both = malloc(strlen(text) + strlen(KERNELS) + 1);
    strcat(strcpy(both, text), KERNELS);
    load_text(both, "-O2");
    free(both);
    for (int i = 0; i < TERMS * TILE_ROWS; i++) w[i] = (float)(0.5 + fmod(i * 0.6180339887498949, 1) / 2);
    for (int i = 0; i < TERMS * SAMPLES; i++) x[i] = (float)(0.5 + fmod(i * 0.7548776662466927, 1) / 2);
    void (*add_up)(bool, const float *, const float *, float *);
    find_symbol("long_sums", &add_up);
    double worst[2] = {0};
    for (int tensor_cores = 0; tensor_cores < 2; tensor_cores++) {
        add_up(tensor_cores, w, x, y);
        for (int i = 0; i < TILE_ROWS; i++) {
            for (int l = 0; l < SAMPLES; l++) {
                double sum = 0;
                for (int j = 0; j < TERMS; j++) {
                    const int fours = j % AT_ONCE / 4 ^ i / 4 % 2; /* where a row has them */
                    sum += (double)w[(j / AT_ONCE * TILE_ROWS + i) * AT_ONCE + fours * 4 + j % 4] * x[j * SAMPLES + l];
                }
                worst[tensor_cores] = fmax(worst[tensor_cores], fabs(y[i * SAMPLES + l] / sum - 1) / FLT_EPSILON);
            }
        }
    }
    print_message("           FMA %.1f eps, tensor cores %.1f\n", worst[0], worst[1]);
    assert_true(worst[1] <= worst[0]);
}

int main(int argc, char **argv)
{
    sim_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_precisions), cmocka_unit_test(large_batches), cmocka_unit_test(other_choices),
        cmocka_unit_test(asked_for),       cmocka_unit_test(long_sums),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
