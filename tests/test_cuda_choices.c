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

/* Without tensor cores, which have this model's products in f32 unless it says so; tf32 is as good as its ten bits, no better. */
static void asked_for(void **state)
{
    (void)state;
    const double tf32 = ldexp(1, -10);
    check_batches(&(variant){"tests/models/wide.lua", NULL, {"matmul=native"}}, (const int[]){7, 19}, 2);
    const double worst = check_within(&(variant){"tests/models/wide.lua", NULL, {"matmul=tf32"}}, tf32, (const int[]){7}, 1);
    assert_true(worst * tf32 > 64 * FLT_EPSILON);
}

/* Loads the text of a model with this setting, and functions about what it multiplies with, a struct of this name. */
static void load_way(const char *matmul, const char *way)
{
    static const char FUNCTIONS[] = "extern \"C\" void add_up(int n, const float *w, const float *x, float *y)\n"
                                    "{\n"
                                    "    sim::launch([=] {\n"
                                    "        float s[1][4] = {};\n"
                                    "        for (int j = 0; j < n; j += 8) WAY::multiply<8, 1>(s, w + j * 16, x + j * 8);\n"
                                    "        for (int e = 0; e < 4; e++)\n"
                                    "            y[WAY::row<8>(e / 2) * 8 + WAY::sample<8>(e / 2) + e % 2] = s[0][e];\n"
                                    "    }, {1, 32, false});\n"
                                    "}\n"
                                    "extern \"C\" int place(int samples, int j, int l)\n"
                                    "{\n"
                                    "    return samples == 8 ? WAY::place<8>(j, l) : samples == 16 ? WAY::place<16>(j, l)\n"
                                    "                                              : WAY::place<32>(j, l);\n"
                                    "}\n";
    const lrnde_model_desc *m;
    build_variant(&(variant){"tests/models/wide.lua", NULL, {matmul}}, NULL, &TOOL, &m);
    const char *text = lrnde_text_for(m, &SIM)->text;
    char *functions = replaced(FUNCTIONS, "WAY", way), *both = malloc(strlen(text) + strlen(functions) + 1);
    strcat(strcpy(both, text), functions);
    load_text(both, "-O1");
    free(functions);
    free(both);
}

/* The worst of a warp's sums of n products between a quarter and one, in eps. */
static double worst_sum(int n)
{
    enum { MOST = 4096, AT_ONCE = 8, SAMPLES = 8, ROWS = 16 };
    static _Alignas(16) float w[MOST * ROWS], x[MOST * SAMPLES], y[ROWS * SAMPLES];
    for (int i = 0; i < n * ROWS; i++) w[i] = (float)(0.5 + fmod(i * 0.6180339887498949, 1) / 2);
    for (int i = 0; i < n * SAMPLES; i++) x[i] = (float)(0.5 + fmod(i * 0.7548776662466927, 1) / 2);
    void (*add_up)(int, const float *, const float *, float *);
    find_symbol("add_up", &add_up);
    add_up(n, w, x, y);
    double worst = 0;
    for (int at = 0; at < ROWS * SAMPLES; at++) {
        const int i = at / SAMPLES;
        double sum = 0;
        for (int j = 0; j < n; j++) {
            const int fours = j % AT_ONCE / 4 ^ i / 4 % 2; /* where a row has them */
            sum += (double)w[(j / AT_ONCE * ROWS + i) * AT_ONCE + fours * 4 + j % 4] * x[j * SAMPLES + at % SAMPLES];
        }
        worst = fmax(worst, fabs(y[at] / sum - 1) / FLT_EPSILON);
    }
    return worst;
}

/* By three products of tf32 sums are as exact as by FMA, short ones and long ones. */
static void sums_are_as_exact(void **state)
{
    (void)state;
    static const int lengths[] = {8, 16, 64, 256, 1024, 4096};
    enum { N = sizeof lengths / sizeof *lengths };
    double fma[N], mma[N];
    load_way("matmul=native", "lrnde_by_fma");
    for (int i = 0; i < N; i++) fma[i] = worst_sum(lengths[i]);
    load_way("matmul=3xtf32", "lrnde_by_mma");
    for (int i = 0; i < N; i++) mma[i] = worst_sum(lengths[i]);
    for (int i = 0; i < N; i++) {
        print_message("           sums of %4d: FMA %4.1f eps, 3xtf32 %4.1f\n", lengths[i], fma[i], mma[i]);
        assert_true(mma[i] <= fma[i]);
    }
}

/* What tensor cores want of x at a time, eight samples of four terms, is in 32 banks of shared memory. */
static void no_bank_is_met_twice(void **state)
{
    (void)state;
    int (*place)(int samples, int j, int l);
    load_way("matmul=3xtf32", "lrnde_by_mma");
    find_symbol("place", &place);
    for (int samples = 8; samples <= 32; samples *= 2) {
        for (int first = 0; first < 4 * samples; first += 8) {
            const int j = first / samples * 4, l = first % samples;
            uint32_t banks = 0;
            for (int i = 0; i < 32; i++) banks |= UINT32_C(1) << place(samples, j + i / 8, l + i % 8) % 32;
            assert_int_equal(banks, UINT32_MAX);
        }
    }
}

int main(int argc, char **argv)
{
    sim_begin(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_precisions), cmocka_unit_test(large_batches),     cmocka_unit_test(other_choices),
        cmocka_unit_test(asked_for),       cmocka_unit_test(sums_are_as_exact), cmocka_unit_test(no_bank_is_met_twice),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
