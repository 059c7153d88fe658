/*
 * test_memory.c - what compiled models allocate: nothing from the second solve of the same length on, forward, backward and
 * with a regularizer, whatever is kept; and that a limit is kept to, by keeping less.
 *
 * test_solve.c holds the loops against handwritten kernels; this is the whole of it, as an application meets it.
 */
#include "allocations.h"
#include "cases.h"

#include "cli/build.h"
#include "lrnde.h"
#include "registries.h"

#define OK(call) assert_int_equal(call, LRNDE_OK)

enum { MOST_PARAMS = 100 };

static const options_tool TOOL = {.program = "test_memory"};

static const lrnde_model_desc *build(const char *file, const char *sensitivity)
{
    const lrnde_model_desc *model;
    build_request request = {.model_file = file, .device = "cpu", .set = {&sensitivity, 1}};
    assert_int_equal(build_model(&request, &TOOL, &model), EXIT_DONE);
    return model;
}

static lrnde_solver *create(const lrnde_model_desc *model, int32_t batch, size_t memory_limit)
{
    lrnde_solver *s;
    lrnde_error error;
    lrnde_options o = LRNDE_OPTIONS;
    o.batch = batch, o.training = 1, o.threads = 2, o.memory_limit = memory_limit;
    if (lrnde_create(&s, model, &o, &error)) fail_msg("%s", error.text);
    return s;
}

/* Gives every input some numbers; labels stay 0. */
static void set_inputs(lrnde_solver *s)
{
    const lrnde_model_desc *model = lrnde_model(s);
    for (int32_t i = 0; i < model->n_inputs; i++) {
        int64_t n = (int64_t)lrnde_batch(s) * model->inputs[i].size;
        float *x = malloc((size_t)n * sizeof *x);
        if (model->inputs[i].label) memset(x, 0, (size_t)n * sizeof *x);
        for (int64_t k = 0; k < n && !model->inputs[i].label; k++) x[k] = (float)(k % 7) / 7;
        OK(lrnde_set(s, model->inputs[i].name, x, (size_t)n * sizeof *x));
        free(x);
    }
}

/* A gradient as training takes it.  The regularizer draws another time at every training step: so the steps are the same. */
static void gradient(lrnde_solver *s)
{
    lrnde_report report;
    double cot[2] = {1, 1};
    lrnde_set_step(s, 0);
    if (lrnde_model(s)->n_loss) {
        OK(lrnde_loss_gradient(s, &report));
    } else {
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_gradient(s, "u", cot, sizeof cot));
    }
}

static const lrnde_store STORES[] = {LRNDE_STORE_STAGES, LRNDE_STORE_STATE, LRNDE_STORE_CHECKPOINTS};

static void allocates_once(const char *file, int32_t batch)
{
    char text[300];
    names sensitivities = lua_files("generator/sensitivities");
    for (int i = 0; i < 3 * sensitivities.n; i++) {
        lrnde_model_desc model = *build(file, setting(text, "sensitivity", sensitivities.path[i / 3]));
        if (i % 3 > 0) model.sensitivity.store = STORES[i % 3];
        if (STORES[i % 3] == LRNDE_STORE_CHECKPOINTS) model.sensitivity.checkpoints = 3;
        lrnde_solver *s = create(&model, batch, 0);
        size_t held = 0;
        long before = 0;
        set_inputs(s);
        for (int k = 0; k < 3; k++) {
            gradient(s);
            if (k == 0) before = allocations, held = lrnde_memory(s);
        }
        assert_int_equal(allocations, before);
        assert_int_equal(lrnde_memory(s), held);
        lrnde_destroy(s);
    }
}

/* Solving u back needs the same memory for a solve of any length, the other algorithms more for more steps. */
static void solving_back_keeps_no_record(void **state)
{
    (void)state;
    static const struct {
        const char *sensitivity;
        int grows;
    } table[] = {{"sensitivity=backsolve", 0}, {"sensitivity=L.backsolve{checkpoints=8}", 0}, {"sensitivity=gauss", 1}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        lrnde_solver *s = create(build("models/lotka_volterra.lua", table[i].sensitivity), 16384, 0);
        static double cot[2 * 16384];
        OK(lrnde_set(s, "tolerance", (double[]){1e-3, 1e-3}, 2 * sizeof(double)));
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_gradient(s, "u", cot, sizeof cot));
        size_t held = lrnde_memory(s);
        OK(lrnde_set(s, "tolerance", (double[]){1e-6, 1e-6}, 2 * sizeof(double)));
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_gradient(s, "u", cot, sizeof cot));
        assert_int_equal(lrnde_memory(s) > held, table[i].grows);
        lrnde_destroy(s);
    }
}

static void equations_allocate_once(void **state)
{
    (void)state;
    allocates_once("models/lotka_volterra.lua", 1);
}

static void networks_allocate_once(void **state)
{
    (void)state;
    allocates_once("tests/fixtures/digits.lua", 9);
    allocates_once("tests/models/wide.lua", 64);
}

static void updates_allocate_nothing(void **state)
{
    (void)state;
    lrnde_solver *s = create(build("tests/fixtures/digits.lua", "sensitivity=discrete"), 8, 0);
    set_inputs(s);
    gradient(s);
    OK(lrnde_update(s));
    long before = allocations;
    OK(lrnde_update(s));
    assert_int_equal(allocations, before);
    lrnde_destroy(s);
}

static void get_gradient(lrnde_solver *s, double *dp)
{
    gradient(s);
    OK(lrnde_get(s, "grad/params", dp, 4 * sizeof *dp));
}

/* With a limit of what a solve holds it works, with a little less it keeps less, and gives the same gradient. */
static void limit_is_kept(void **state)
{
    (void)state;
    static const char *const sensitivities[] = {"sensitivity=discrete", "sensitivity=interpolating"};
    for (int i = 0; i < 2; i++) {
        const lrnde_model_desc *model = build("models/lotka_volterra.lua", sensitivities[i]);
        lrnde_solver *s = create(model, 1, 0);
        size_t created = lrnde_memory(s);
        double all[4], some[4];
        int64_t fewest = INT64_MAX;
        get_gradient(s, all);
        size_t held = lrnde_memory(s);
        assert_int_equal(lrnde_storage_of(s).peak, held);
        lrnde_destroy(s);

        s = create(model, 1, held);
        get_gradient(s, some);
        assert_memory_equal(some, all, sizeof all);
        assert_int_equal(lrnde_memory(s), held);
        assert_int_equal(lrnde_storage_of(s).reduced, 0);
        lrnde_destroy(s);

        for (size_t limit = held - (held - created) / 8;; limit -= (limit - created) / 8) {
            s = create(model, 1, limit);
            if (lrnde_solve(s, NULL, 0, NULL)) break;
            get_gradient(s, some);
            lrnde_storage storage = lrnde_storage_of(s);
            assert_memory_equal(some, all, sizeof all);
            assert_true(storage.peak <= limit && storage.reduced && storage.recomputed > 0);
            assert_true(storage.store == LRNDE_STORE_CHECKPOINTS || (i == 0 && storage.store == LRNDE_STORE_STATE));
            if (storage.checkpoints) {
                assert_true(i || storage.checkpoints < fewest);
                fewest = storage.checkpoints;
            }
            long before = allocations;
            gradient(s);
            assert_int_equal(allocations, before);
            lrnde_destroy(s);
        }
        assert_true(i ? fewest < 40 : fewest < 3);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_MEMORY);
            assert_contains(lrnde_last_error(s)->text, "memory limit: with checkpoints a gradient needs");
        }
        lrnde_destroy(s);
    }
}

/* Gradients of a solve: by training, which solves for itself; of the caller's own at two save times, or over a mesh. */
enum { BY_TRAINING, BY_SOLVE, BY_MESH, WAYS, MOST_STEPS = 400 };

static void solve_by(lrnde_solver *s, int way, const double *mesh, size_t m)
{
    const double t[2] = {0.3, 1};
    if (way == BY_TRAINING) OK(lrnde_solve(s, NULL, 0, NULL));
    if (way == BY_SOLVE) OK(lrnde_solve(s, t, 2, NULL));
    if (way == BY_MESH) OK(lrnde_solve_mesh(s, mesh, m, NULL, 0, NULL));
}

static void gradient_by(lrnde_solver *s, int way)
{
    enum { MOST = 2 * 9 * 3 };
    static const float cot[MOST] = {1};
    lrnde_array logits;
    OK(lrnde_array_find(s, "logits", &logits));
    if (way == BY_TRAINING)
        gradient(s);
    else
        OK(lrnde_gradient(s, "logits", cot, logits.bytes));
}

/* A solve that fits with a sweep that does not, since quadrature keeps lambda: it is begun again and keeps less. */
static void limit_of_the_sweep(void **state)
{
    (void)state;
    static float all[MOST_PARAMS], some[MOST_PARAMS];
    static double mesh[MOST_STEPS];
    const double tolerance[2] = {1e-7, 1e-7};
    const lrnde_model_desc *model = build("tests/fixtures/digits.lua", "sensitivity=quadrature");
    size_t bytes = (size_t)model->n_params * sizeof *all, m = 0;
    assert_true(bytes <= sizeof all);
    for (int way = 0; way < WAYS; way++) {
        size_t solved = 0, held = 0;
        for (int part = 0; part <= 3; part++) { /* 0: no limit */
            lrnde_solver *s = create(model, 9, part ? solved + (held - solved) * (size_t)part / 4 : 0);
            set_inputs(s);
            OK(lrnde_set(s, "tolerance", tolerance, sizeof tolerance));
            solve_by(s, way, mesh, m);
            assert_int_equal(lrnde_storage_of(s).reduced, 0);
            if (!part) solved = lrnde_memory(s);
            for (int again = 0; again < 2; again++) {
                gradient_by(s, way);
                OK(lrnde_get(s, "grad/params", part ? some : all, bytes));
                if (part) assert_memory_equal(some, all, bytes);
            }
            lrnde_storage storage = lrnde_storage_of(s);
            if (!part) held = storage.peak;
            assert_int_equal(storage.reduced, part > 0);
            assert_true(held > solved && storage.peak <= solved + (held - solved) * (size_t)(part ? part : 4) / 4);
            if (way == BY_TRAINING && !part) {
                lrnde_array a;
                OK(lrnde_array_find(s, "mesh", &a));
                assert_true(a.bytes <= sizeof mesh);
                OK(lrnde_get(s, "mesh", mesh, a.bytes));
                m = a.bytes / sizeof *mesh;
                for (size_t i = 1; i + 1 < m; i++) mesh[i] += (mesh[i + 1] - mesh[i]) / 8; /* not what control would choose */
            }
            lrnde_destroy(s);
        }
    }
}

/* A sweep of no length: a loss of the initial state alone, whose gradient is its cotangent. */
static void a_loss_at_the_start(void **state)
{
    (void)state;
    char text[300];
    const double start = 0, cot[2] = {3, -2};
    names sensitivities = lua_files("generator/sensitivities");
    for (int i = 0; i < sensitivities.n; i++)
        for (int h = 0; h < 2; h++) {
            lrnde_model_desc model = *build("models/lotka_volterra.lua", setting(text, "sensitivity", sensitivities.path[i]));
            double du0[2], dp[4];
            model.h = 0.01 * h;
            lrnde_solver *s = create(&model, 1, 0);
            OK(lrnde_solve(s, &start, 1, NULL));
            OK(lrnde_gradient(s, "u", cot, sizeof cot));
            OK(lrnde_get(s, "grad/u0", du0, sizeof du0));
            OK(lrnde_get(s, "grad/params", dp, sizeof dp));
            assert_memory_equal(du0, cot, sizeof cot);
            for (int p = 0; p < 4; p++) assert_true(dp[p] == 0);
            lrnde_destroy(s);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solving_back_keeps_no_record),
        cmocka_unit_test(equations_allocate_once),
        cmocka_unit_test(networks_allocate_once),
        cmocka_unit_test(updates_allocate_nothing),
        cmocka_unit_test(limit_is_kept),
        cmocka_unit_test(limit_of_the_sweep),
        cmocka_unit_test(a_loss_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
