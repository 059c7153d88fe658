/*
 * test_kernels.c - generated C against the reference evaluator.
 *
 * A model is generated, compiled and loaded as the tools do it; every kernel it has is launched through its driver on the
 * inputs that `lrnde-gen --eval all` drew, and must agree with what that printed to |difference| <= 64 eps sum|terms|, eps
 * of the model's precision.  One thread and two must give the same bits, but for sums over the batch that meet in a
 * parameter gradient.
 *
 * Models are the files of models/ and tests/models/, methods those of tableaus/: a new file is tested without an edit here.
 * The small models are compiled as the tools do it, in both precisions; all else with -O1, which is three times as quick.
 */
#include "kernel_compare.h"
#include "methods.h"
#include "registries.h"

enum { LARGE = 50000 /* parameters */ };

extern const lrnde_driver lrnde_driver_c;

static const options_tool TOOL = {.program = "test_kernels"};

/* E of sums and its derivative: against central differences; of zero sums it is 0 and flat. */
static void check_finish(const lrnde_system_desc *s)
{
    double sums[LRNDE_MAX_SUMS] = {0}, cot[LRNDE_MAX_SUMS], n = 6;
    s->rev_finish(sums, n, 1, cot);
    assert_true(s->finish(sums, n) == 0);
    for (int q = 0; q < s->n_sums; q++) assert_true(cot[q] == 0);
    for (int q = 0; q < s->n_sums; q++) sums[q] = 0.7 + q;
    if (s->n_sums == 1) assert_true(fabs(s->finish(sums, n) - sqrt(sums[0] / n)) < 1e-15);
    s->rev_finish(sums, n, 3, cot);
    for (int q = 0; q < s->n_sums; q++) {
        double step = 1e-5, at = sums[q], above, below;
        sums[q] = at + step, above = s->finish(sums, n);
        sums[q] = at - step, below = s->finish(sums, n);
        sums[q] = at;
        assert_true(fabs(cot[q] - 3 * (above - below) / (2 * step)) < 1e-9);
    }
}

/* Every kernel of a variant: one sample, a few, and more than a tile; a few alone if the model is too large for more. */
static void check_variant(const variant *v)
{
    const lrnde_model_desc *m;
    build_variant(v, "cpu", &TOOL, &m);
    comparison c = {.what = v, .driver = &lrnde_driver_c, .eps = eps_of(m)};
    const int batches[] = {7, 1, m->tile + 3};
    for (int i = 0; i < (m->n_params < LARGE ? 3 : 1); i++) {
        c.batch = batches[i];
        assert_int_equal(check_batch(&c, m), count_kernels(m));
    }
    if (m->forward->finish) check_finish(m->forward);
    print_message("           %-28s %-8s %d kernels, worst %.1f eps\n", v->file, m->method, count_kernels(m), c.worst);
    if (c.failures) fail_msg("%s: %d numbers are wrong", v->file, c.failures);
}

/* ---- tests ---- */

static void quick_compiler(void)
{
    assert_int_equal(setenv("CC", "tests/quick_cc.sh", 1), 0);
}

static void shipped_models(void **state)
{
    (void)state;
    quick_compiler();
    names models = lua_files("models");
    for (int i = 0; i < models.n; i++) check_variant(&(variant){models.path[i], NULL, {NULL}});
}

static const char *other_precision(int i)
{
    return i % 2 ? "precision=f32" : "precision=f64";
}

/* Every small model in both precisions. */
static void both_precisions(void **state)
{
    (void)state;
    unsetenv("CC");
    names models = lua_files("tests/models");
    for (int i = 0; i < models.n; i++)
        for (int f = 0; f < 2; f++) check_variant(&(variant){models.path[i], NULL, {other_precision(f)}});
}

/* The model that has everything which a method can treat, regularized if there is an error estimate, in one precision or the other. */
static variant variant_of(const char *name, const char *path, int number)
{
    json_t *report = method_report(path);
    const char *family = json_string_value(json_object_get(report, "family"));
    variant v = {is_stochastic(family) ? "tests/models/stochastic.lua" : "tests/models/mixed.lua", name, {NULL}};
    int n = 0;
    v.settings[n++] = !strcmp(family, "rosenbrock") ? "precision=f64" : other_precision(number);
    if (!strcmp(family, "sra")) v.settings[n++] = "additive=true";
    if (!strcmp(family, "adams")) v.settings[n++] = "regularize.gradient=partial";
    if (!json_is_true(json_object_get(report, "adaptive"))) v.settings[n++] = "regularize=false";
    json_decref(report);
    return v;
}

static void every_method(void **state)
{
    (void)state;
    quick_compiler();
    char method[300];
    names methods = lua_files("tableaus");
    for (int i = 0; i < methods.n; i++) {
        variant v = variant_of(setting(method, "method", methods.path[i]) + strlen("method="), methods.path[i], i);
        check_variant(&v);
    }
}

/* Every sensitivity and every optimizer, side by side. */
static void every_sensitivity_and_optimizer(void **state)
{
    (void)state;
    quick_compiler();
    char first[300], second[300];
    names sensitivities = lua_files("generator/sensitivities"), optimizers = lua_files("generator/optimizers");
    for (int i = 0; i < sensitivities.n || i < optimizers.n; i++)
        check_variant(&(variant){"tests/models/mixed.lua",
                                 "heun21",
                                 {setting(first, "sensitivity", sensitivities.path[i % sensitivities.n]),
                                  setting(second, "train.optimizer", optimizers.path[i % optimizers.n]), other_precision(i)}});
}

/* What else changes the kernels. */
static void other_choices(void **state)
{
    (void)state;
    quick_compiler();
    static const variant variants[] = {
        {"tests/models/mixed.lua", "heun21", {"regularize.gradient=truncated", "regularize.scale=none"}},
        {"tests/models/mixed.lua", "tsit5", {"regularize.estimate=stiffness", "precision=f32"}},
        {"tests/models/mixed.lua", "vcab3", {"regularize.method=heun21", "sensitivity=interpolating"}},
        {"tests/models/mixed.lua", "vcab3", {"regularize.gradient=total"}},
        {"tests/models/mixed.lua", "rosenbrock23", {"sensitivity=backsolve", "precision=f64"}},
        {"tests/models/wide.lua", NULL, {"accumulate=double", "sensitivity=interpolating"}},
        {"tests/models/activations.lua", NULL, {"sensitivity=discrete"}},
    };
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) check_variant(&variants[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_models), cmocka_unit_test(both_precisions),
        cmocka_unit_test(every_method),   cmocka_unit_test(every_sensitivity_and_optimizer),
        cmocka_unit_test(other_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
