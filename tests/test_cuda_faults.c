/*
 * test_cuda_faults.c - whole models on a CUDA device that fails, by libraries that pretend (tests/cuda_fakes): one that is lost,
 * has little memory, gives what is not finite; what is said of it, and that nothing is left behind.
 */
#include "cuda_models.h"

#include <pthread.h>

/* The device is lost at the n-th wait of a gradient. */
static int lost_at;
static void lose_device(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    char after[32];
    world_model(&desc, &entry);
    solved v = {.s = create(&desc, "cuda", text), .output = "u"};
    MUST(v.s);
    solve_for(&v);
    snprintf(after, sizeof after, "%d", waits() + lost_at);
    setenv("FAKE_LOST", after, 1);
    MUST(lrnde_gradient(v.s, v.output, v.cot, v.bytes) == LRNDE_ERR_DEVICE);
    snprintf(text, WORLD_TEXT, "%s", lrnde_last_error(v.s)->text);
    lrnde_destroy(v.s);
    free(v.cot);
    free((char *)entry.text);
}

/* A sweep that has too few steps, or meets what is not finite, stops at the same time on both. */
static void sweep_in_vain(char *text)
{
    static const char *const devices[] = {"cpu", "cuda"};
    char said[2][2][512];
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    world_model(&desc, &entry);
    for (int i = 0; i < 2; i++) {
        solved v = {.s = create(&desc, devices[i], text), .output = "u"};
        MUST(v.s);
        solve_for(&v);
        *said[0][i] = '\0';
        if (most_steps) MUST(lrnde_gradient(v.s, v.output, v.cot, v.bytes) == LRNDE_ERR_STEP_LIMIT);
        if (most_steps) snprintf(said[0][i], sizeof said[0][i], "%s", lrnde_last_error(v.s)->text);
        solve_for(&v);
        memset(v.cot, 0xff, v.bytes);
        MUST(lrnde_gradient(v.s, v.output, v.cot, v.bytes) == LRNDE_ERR_NOT_FINITE);
        snprintf(said[1][i], sizeof said[1][i], "%s", lrnde_last_error(v.s)->text);
        lrnde_destroy(v.s);
        free(v.cot);
    }
    MUST(!strcmp(said[0][0], said[0][1]) && !strcmp(said[1][0], said[1][1]));
    snprintf(text, WORLD_TEXT, "%s", said[most_steps ? 0 : 1][1]);
    free((char *)entry.text);
}

static void sweeps_stop(void **state)
{
    (void)state;
    build("models/lotka_volterra.lua", "sensitivity=L.interpolating{rtol=1e-12,atol=1e-14}");
    batch = 1;
    most_steps = 300;
    assert_contains(world_run(sweep_in_vain, NULL), "adjoint: 300 steps are not enough: t = ");
    most_steps = 0;
    build_with("models/lotka_volterra.lua", "sensitivity=interpolating", "solver={method=\"rk4\",h=0.01,tspan={0,2}}");
    assert_string_equal(world_run(sweep_in_vain, NULL), "adjoint: not finite at t = 2, h = -0.01");
}

static void lost_in_a_sweep(void **state)
{
    (void)state;
    static const char *const settings[] = {"sensitivity=discrete", "sensitivity=gauss", "sensitivity=quadrature"};
    batch = 1;
    for (int i = 0; i < 3; i++) {
        build("models/lotka_volterra.lua", settings[i]);
        for (lost_at = 1; lost_at <= (built->adjoint ? 4 : 1); lost_at++)
            assert_contains(world_run(lose_device, NULL), "cuda failed: cuStreamSynchronize: CUDA_ERROR_DEVICE_UNAVAILABLE: ");
    }
}

/* However little memory there is for the steps of courses, it is enough or said to be too little, and gradients are the same. */
static void gradients_within(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    double whole[4] = {0}, grad[4];
    int fitted = 0, failed = 0;
    world_model(&desc, &entry);
    for (size_t room = 0; room < 100000; room = room * 5 / 4 + 500) {
        lrnde_solver *s = create(&desc, "cuda", text);
        double cot[6] = {1, 1, 1, 1, 1, 1};
        limit = room ? lrnde_memory(s) + room : 0;
        lrnde_destroy(s);
        MUST((s = create(&desc, "cuda", text)));
        const lrnde_status status = lrnde_solve(s, NULL, 0, NULL);
        MUST(status == LRNDE_OK || (room && status == LRNDE_ERR_MEMORY));
        failed += status != LRNDE_OK;
        if (!status) {
            MUST(!lrnde_gradient(s, "u", cot, sizeof cot) && !lrnde_get(s, "grad/params", grad, sizeof grad));
            const lrnde_storage storage = lrnde_storage_of(s);
            MUST(!room || (storage.peak <= limit && !memcmp(grad, whole, sizeof grad)));
            memcpy(whole, grad, sizeof whole);
            fitted += storage.reduced;
        }
        lrnde_destroy(s);
        limit = 0;
    }
    free((char *)entry.text);
    snprintf(text, WORLD_TEXT, "%d %d", fitted, failed);
}

/* Trains on batches that stay on the device, until steps become short and their record long. */
static void train_in_little(char *text)
{
    enum { PLACES = 40, STEPS = 60, LONG = 50 };
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    lrnde_solver *s;
    lrnde_error e;
    double norm[2] = {0};
    int lost = 0;
    lrnde_status status = LRNDE_OK;
    world_model(&desc, &entry);
    for (int many = 0; many < 2 && !status; many++) {
        lrnde_options o = LRNDE_OPTIONS;
        lrnde_report r;
        int there[PLACES] = {0};
        o.batch = batch, o.training = 1, o.device = "cuda", o.batches = many ? PLACES : 1;
        MUST(!lrnde_create(&s, &desc, &o, &e));
        for (int i = 0; i < STEPS && !status; i++) {
            const double chosen = many ? i % PLACES : 0, tolerance[2] = {i < LONG ? 1e-3 : 1e-7, i < LONG ? 1e-3 : 1e-7};
            double kept;
            MUST(!lrnde_set(s, "inputs/batch", &chosen, sizeof chosen));
            MUST(!lrnde_set(s, "tolerance", tolerance, sizeof tolerance));
            MUST(!lrnde_get(s, "inputs/kept", &kept, sizeof kept));
            lost += kept == 0 && there[(int)chosen];
            if (kept == 0 || !there[(int)chosen]) set_inputs(s);
            there[(int)chosen] = 1;
            if (!(status = lrnde_train_step(s, &r))) norm[many] = r.grad_norm;
        }
        lrnde_destroy(s);
    }
    free((char *)entry.text);
    snprintf(text, WORLD_TEXT, "%d %d %d", status, lost, norm[0] == norm[1]);
}

/* Batches that stay on the device make way for what a solve needs. */
static void batches_make_way(void **state)
{
    (void)state;
    int made_way = 0, enough = 0;
    build("tests/fixtures/digits.lua", "sensitivity=discrete");
    batch = 256;
    for (long bytes = 6200000; bytes <= 7000000; bytes += 100000) {
        int status, lost, same;
        char memory[64];
        snprintf(memory, sizeof memory, "FAKE_MEMORY=%ld", bytes);
        assert_int_equal(sscanf(world_run(train_in_little, WITH(memory)), "%d %d %d", &status, &lost, &same), 3);
        if (status) continue; /* one batch is too many */
        assert_true(same);
        made_way += lost > 0, enough += lost == 0;
    }
    print_message("           batches made way in %d memories, stayed in %d\n", made_way, enough);
    assert_true(made_way > 0 && enough > 0);
}

static void memory_is_limited(void **state)
{
    (void)state;
    static const char *const settings[] = {"sensitivity=discrete", "sensitivity=interpolating"};
    batch = 3;
    for (int i = 0; i < 2; i++) {
        int fitted, failed;
        build("models/lotka_volterra.lua", settings[i]);
        assert_int_equal(sscanf(world_run(gradients_within, NULL), "%d %d", &fitted, &failed), 2);
        print_message("           %s: %d limits that make it keep less, %d too low\n", settings[i], fitted, failed);
        assert_true(fitted > 5 && failed > 0);
    }
}

/* What is not finite is found in the same place. */
static void lose_numbers(char *text)
{
    static const char *const devices[] = {"cpu", "cuda"};
    char found[2][512];
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    world_model(&desc, &entry);
    for (int i = 0; i < 2; i++) {
        lrnde_array a;
        lrnde_solver *s = create(&desc, devices[i], text);
        MUST(s && !lrnde_array_find(s, "params", &a));
        set_inputs(s);
        char *params = malloc(a.bytes);
        memset(params, 0xff, a.bytes);
        MUST(!lrnde_set(s, "params", params, a.bytes));
        free(params);
        MUST(lrnde_solve(s, NULL, 0, NULL) == LRNDE_ERR_NOT_FINITE);
        const lrnde_error *e = lrnde_last_error(s);
        MUST(*e->layer && *e->component);
        snprintf(found[i], sizeof found[i], "%s, %d, %d, %s, %s", e->text, (int)e->stage, (int)e->sample, e->component, e->layer);
        lrnde_destroy(s);
    }
    MUST(!strcmp(found[0], found[1]));
    free((char *)entry.text);
}

static void locates(void **state)
{
    (void)state;
    build("tests/fixtures/digits.lua", "sensitivity=interpolating");
    batch = 9;
    assert_string_equal(world_run(lose_numbers, NULL), "");
}

/* A solve that is not done after so many steps, or whose solution goes to infinity, stops at the same time on both. */
static void stop_early(char *text)
{
    static const char *const devices[] = {"cpu", "cuda"};
    static const double exploding[] = {1e3, -1e3};
    char said[2][512];
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    world_model(&desc, &entry);
    for (most_steps = 3; most_steps < 40; most_steps += 9) {
        for (int i = 0; i < 2; i++) {
            lrnde_solver *s = create(&desc, devices[i], text);
            MUST(s && lrnde_solve(s, NULL, 0, NULL) == LRNDE_ERR_STEP_LIMIT);
            snprintf(said[i], sizeof said[i], "%s", lrnde_last_error(s)->text);
            lrnde_destroy(s);
        }
        MUST(!strcmp(said[0], said[1]));
    }
    most_steps = 0;
    for (int i = 0; i < 2; i++) {
        lrnde_solver *s = create(&desc, devices[i], text);
        MUST(s && !lrnde_set(s, "u0", exploding, sizeof exploding) && lrnde_solve(s, NULL, 0, NULL));
        const lrnde_error *e = lrnde_last_error(s);
        MUST(e->status == LRNDE_ERR_NOT_FINITE || e->status == LRNDE_ERR_STEP_SIZE);
        snprintf(said[i], sizeof said[i], "%s, %d, %d, %s", e->text, (int)e->stage, (int)e->sample, e->component);
        lrnde_destroy(s);
    }
    MUST(!strcmp(said[0], said[1]));
    free((char *)entry.text);
}

static void limits(void **state)
{
    (void)state;
    build("models/lotka_volterra.lua", "sensitivity=discrete");
    batch = 1;
    assert_string_equal(world_run(stop_early, NULL), "");
    build("models/lotka_volterra.lua", "solver={method=\"rk4\",h=0.1,tspan={0,10}}");
    assert_string_equal(world_run(stop_early, NULL), "");
}

/* ---- failures of a device that was there ---- */

static void *solve_elsewhere(void *s)
{
    return (void *)(intptr_t)lrnde_solve(s, NULL, 0, NULL);
}

static int waited; /* by `use`, before it destroys */

/* Creates, solves in another thread, gets, destroys; says what failed. */
static void use(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    pthread_t thread;
    void *status;
    double u[2];
    world_model(&desc, &entry);
    lrnde_solver *s = create(&desc, "cuda", text);
    if (s) {
        MUST(!pthread_create(&thread, NULL, solve_elsewhere, s) && !pthread_join(thread, &status));
        if (status) {
            MUST((intptr_t)status == LRNDE_ERR_DEVICE || (intptr_t)status == LRNDE_ERR_MEMORY);
            snprintf(text, WORLD_TEXT, "%s", lrnde_last_error(s)->text);
            if ((intptr_t)status == LRNDE_ERR_DEVICE) MUST(lrnde_solve(s, NULL, 0, NULL) == LRNDE_ERR_DEVICE);
        } else if (lrnde_get(s, "u", u, sizeof u)) {
            snprintf(text, WORLD_TEXT, "%s", lrnde_last_error(s)->text);
        }
        waited = waits();
        lrnde_destroy(s);
    }
    free((char *)entry.text);
    MUST(world_leaks() == 0);
}

static void count_waits(char *text)
{
    use(text);
    if (!*text) snprintf(text, WORLD_TEXT, "%d", waited);
}

static void failures(void **state)
{
    (void)state;
    build("models/lotka_volterra.lua", "sensitivity=discrete");
    batch = 1;
    assert_string_equal(world_run(use, NULL), "");
    assert_string_equal(world_run(use, WITH("FAKE_LAUNCH=701")),
                        "cuda failed: cuLaunchKernel: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES: "
                        "too many resources requested for launch");
    static char lost[32];
    const int most = atoi(world_run(count_waits, NULL));
    assert_true(most > 0 && most < 253);
    for (int after = 1; after <= most; after += 7) {
        snprintf(lost, sizeof lost, "FAKE_LOST=%d", after);
        assert_contains(world_run(use, WITH(lost)), "cuda failed: cuStreamSynchronize: CUDA_ERROR_DEVICE_UNAVAILABLE: ");
    }
    assert_contains(world_run(use, WITH("FAKE_MEMORY=4204200")), "out of memory: ");
}

static void take_any(char *text)
{
    lrnde_model_desc desc = *built;
    desc.n_texts = 0;
    lrnde_solver *s = create(&desc, "auto", text);
    MUST(s && !strcmp(lrnde_device_name(s), "cpu"));
    strcpy(text, lrnde_device_refusals(s));
    lrnde_destroy(s);
}

static void falls_back(void **state)
{
    (void)state;
    assert_string_equal(world_run(take_any, NULL), "cuda: lotka_volterra was generated without kernels for cuda");
    assert_contains(world_run(take_any, WITH("FAKE_DEVICES=0")), "cuda: cuInit: CUDA_ERROR_NO_DEVICE");
}

int main(int argc, char **argv)
{
    world_enter(argv);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweeps_stop),      cmocka_unit_test(lost_in_a_sweep), cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(batches_make_way), cmocka_unit_test(locates),         cmocka_unit_test(limits),
        cmocka_unit_test(failures),         cmocka_unit_test(falls_back),
    };
    return cmocka_run_group_tests(tests, with_driver, world_remove);
}
