/*
 * test_storage.c - generated kernels of every tableau: whatever is kept of a solve, its gradients have the same bits.
 */
#include "cases.h"

#include "cli/build.h"
#include "lrnde.h"
#include "methods.h"
#include "registries.h"
#include "solve/revolve.h"

#define OK(call) assert_int_equal(call, LRNDE_OK)

enum { STEPS = 61, N = 5, MOST = 200 }; /* save times; numbers of a gradient */

static const options_tool TOOL = {.program = "test_storage"};
static const double SAVES[N] = {0, 0.1, 0.51, 0.52, 1};

static lrnde_model_desc build(const char *method, const char *sensitivity)
{
    const lrnde_model_desc *model;
    const char *settings[] = {sensitivity, "solver.h=0.01"}; /* for methods without an error estimate */
    build_request request = {
        .model_file = "tests/numeric/models/mixed.lua", .method = method, .device = "cpu", .set = {settings, 2}};
    assert_int_equal(build_model(&request, &TOOL, &model), EXIT_DONE);
    return *model;
}

typedef struct result {
    double grad[MOST];
    int64_t n, steps;
    lrnde_storage storage;
} result;

static result gradient(const lrnde_model_desc *model, int adaptive)
{
    result r = {0};
    lrnde_solver *s;
    lrnde_error error;
    lrnde_array a;
    lrnde_stats stats;
    lrnde_options o = LRNDE_OPTIONS;
    o.training = 1, o.threads = 1;
    if (lrnde_create(&s, model, &o, &error)) fail_msg("%s", error.text);
    double mesh[STEPS + 1], cot[N * 8];
    for (int i = 0; i <= STEPS; i++) mesh[i] = (double)i / STEPS;
    for (int i = 0; i < N * 8; i++) cot[i] = 1 + i % 4;
    if (adaptive)
        OK(lrnde_solve(s, SAVES, N, &stats));
    else
        OK(lrnde_solve_mesh(s, mesh, STEPS + 1, SAVES, N, &stats));
    OK(lrnde_array_find(s, "u", &a));
    assert_true(a.bytes <= sizeof cot);
    if (lrnde_gradient(s, "u", cot, a.bytes)) fail_msg("%s", lrnde_last_error(s)->text);
    assert_true(model->n_params + model->state <= MOST);
    OK(lrnde_get(s, "grad/params", r.grad, (size_t)model->n_params * sizeof *r.grad));
    OK(lrnde_get(s, "grad/u0", r.grad + model->n_params, (size_t)model->state * sizeof *r.grad));
    r.n = model->n_params + model->state;
    r.steps = stats.accepted;
    r.storage = lrnde_storage_of(s);
    lrnde_destroy(s);
    return r;
}

static void compare(lrnde_model_desc model, int adaptive)
{
    static const int checkpoints[] = {0, 1, 2, 7, 1000};
    int continuous = model.adjoint != NULL;
    model.sensitivity.store = LRNDE_STORE_STAGES;
    if (adaptive) model.h = 0;
    result all = gradient(&model, adaptive);
    for (size_t i = 0; i < sizeof checkpoints / sizeof *checkpoints; i++) {
        model.sensitivity.store = checkpoints[i] ? LRNDE_STORE_CHECKPOINTS : LRNDE_STORE_STATE;
        model.sensitivity.checkpoints = checkpoints[i];
        result some = gradient(&model, adaptive);
        assert_memory_equal(all.grad, some.grad, sizeof all.grad);
        assert_int_equal(all.steps, some.steps);
        if (!continuous && !adaptive)
            assert_int_equal(some.storage.recomputed, lrnde__revolve_count(STEPS, checkpoints[i] ? checkpoints[i] : STEPS));
        int64_t less = all.storage.peak - some.storage.peak; /* of a step without a tape, a state is all there is to keep */
        if (!continuous) assert_true(model.forward->tape ? less > 0 : less >= 0);
    }
}

/* Stochastic methods replay their noise besides: test_stochastic_gradient.c. */
static void every_tableau(void **state)
{
    (void)state;
    names methods = lua_files("tableaus");
    setenv("CC", "tests/quick_cc.sh", 1);
    for (int i = 0; i < methods.n; i++) {
        char text[300];
        const char *method = setting(text, "method", methods.path[i]) + strlen("method=");
        json_t *report = method_report(methods.path[i]);
        bool stochastic = is_stochastic(json_string_value(json_object_get(report, "family")));
        json_decref(report);
        if (stochastic) {
            print_message("not here: %s (test_stochastic_gradient)\n", method);
            continue;
        }
        lrnde_model_desc discrete = build(method, "sensitivity=discrete");
        compare(discrete, 0);
        if (!discrete.forward->finish) continue;
        compare(discrete, 1);
        compare(build(method, "sensitivity=interpolating"), 1);
        compare(build(method, "sensitivity=gauss"), 1);
        compare(build(method, "sensitivity=quadrature"), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_tableau)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
