/*
 * test_cuda_waits.c - how often the host waits for a device, how much it launches and how much crosses between them, counted by
 * the CUDA driver library that pretends (tests/cuda_fakes).
 */
#include "cuda_models.h"

/* How often a solve, and one that comes after another, waits for the device; steps, launches and kernels.  Or what went wrong. */
static void solve_often(char *text)
{
    enum { TIMES = 3 };
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    int waited[TIMES], launched = 0, ran = 0, solved = 0;
    world_model(&desc, &entry);
    lrnde_solver *s = create(&desc, "cuda", text);
    lrnde_stats stats;
    if (s) set_inputs(s);
    for (; s && solved < TIMES; solved++) {
        const int before = waits();
        launched = launches(), ran = kernels_run();
        if (lrnde_solve(s, NULL, 0, &stats)) break;
        waited[solved] = waits() - before;
    }
    if (solved == TIMES)
        snprintf(text, WORLD_TEXT, "%d %d %d %d %d", waited[0], waited[TIMES - 1], (int)stats.accepted, launches() - launched,
                 kernels_run() - ran);
    else if (s)
        snprintf(text, WORLD_TEXT, "%s", lrnde_last_error(s)->text);
    lrnde_destroy(s);
    free((char *)entry.text);
}

/* How often a training step that comes after others waits; what that launches. */
static void train_often(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    lrnde_report r;
    world_model(&desc, &entry);
    lrnde_solver *s = create(&desc, "cuda", text);
    MUST(s);
    set_inputs(s);
    for (int i = 0; i < 2; i++) MUST(!lrnde_train_step(s, &r));
    int before = waits(), launched = launches();
    MUST(!lrnde_train_step(s, &r));
    snprintf(text, WORLD_TEXT, "%d %d %d", waits() - before, launches() - launched, (int)r.forward.accepted);
    lrnde_destroy(s);
    free((char *)entry.text);
}

/*
 * With the steps taken on the device a solve waits for two norms of the first step, for its launches, and at its end: the first
 * for a launch of every eight steps, the next for one of them all.
 */
static void waits_are_few(void **state)
{
    (void)state;
    int first, second, steps;
    build("models/lotka_volterra.lua", "sensitivity=discrete");
    batch = 3;
    assert_int_equal(sscanf(world_run(solve_often, NULL), "%d %d %d", &first, &second, &steps), 3);
    print_message("           %d steps: the host waits %d times, then %d\n", steps, first, second);
    assert_true(steps > 100);
    assert_true(first <= steps / 8 + 5);
    assert_int_equal(second, 4);
    assert_int_equal(sscanf(world_run(solve_often, WITH("FAKE_RESIDENT=0")), "%d %d %d", &first, &second, &steps), 3);
    assert_true(second >= steps);
    static const char *const stores[] = {"L.discrete{store=\"state\"}", "L.discrete{checkpoints=10}", "L.gauss{checkpoints=10}"};
    for (int i = 0; i < 3; i++) {
        char text[300];
        snprintf(text, sizeof text, "sensitivity=%s", stores[i]);
        build("models/lotka_volterra.lua", text);
        assert_int_equal(sscanf(world_run(solve_often, NULL), "%d %d %d", &first, &second, &steps), 3);
        print_message("           %s, %d steps: the host waits %d times, then %d\n", text, steps, first, second);
        assert_true(steps > 100 && second <= (i ? steps / 8 + 5 : 4));
    }
    build("models/lotka_volterra.lua", "solver.method=vcab3"); /* whose first steps are waited for */
    assert_int_equal(sscanf(world_run(solve_often, NULL), "%d %d %d", &first, &second, &steps), 3);
    print_message("           vcab3, %d steps: the host waits %d times, then %d\n", steps, first, second);
    assert_true(steps > 1000 && second <= steps / 256 + 7);
    build("models/ornstein_uhlenbeck.lua", "solver.atol=3e-3");
    assert_int_equal(sscanf(world_run(solve_often, NULL), "%d %d %d", &first, &second, &steps), 3);
    print_message("           sosra, %d steps: the host waits %d times, then %d\n", steps, first, second);
    assert_true(steps > 1000 && second <= steps / 256 + 7);
    build("tests/models/mixed.lua", "regularize.step_size=automatic"); /* an output and a loss at four times */
    assert_int_equal(sscanf(world_run(solve_often, NULL), "%d %d %d", &first, &second, &steps), 3);
    assert_int_equal(second, 4);
}

/* What a stochastic solve, and its gradient, copy between host and device, beside steps and the size of a step's increments. */
static void cross_twice(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    lrnde_stats stats;
    lrnde_array u;
    world_model(&desc, &entry);
    lrnde_solver *s = create(&desc, "cuda", text);
    MUST(s && !lrnde_array_find(s, "u", &u));
    char *cot = calloc(1, u.bytes);
    MUST(!lrnde_solve(s, NULL, 0, NULL));
    const size_t before = crossed();
    MUST(!lrnde_solve(s, NULL, 0, &stats));
    const size_t solved = crossed();
    MUST(!lrnde_gradient(s, "u", cot, u.bytes));
    snprintf(text, WORLD_TEXT, "%zu %zu %d %d %zu", solved - before, crossed() - solved - u.bytes, (int)stats.accepted,
             (int)stats.rejected, 2 * u.bytes);
    free(cot);
    lrnde_destroy(s);
    free((char *)entry.text);
}

/* Increments are drawn on the device, and stay there: what crosses for a step are its arguments and its sums. */
static void noise_stays(void **state)
{
    (void)state;
    size_t solve, sweep, increments;
    int steps, rejected;
    build("models/ornstein_uhlenbeck.lua", "solver.atol=3e-3");
    batch = 50;
    assert_int_equal(sscanf(world_run(cross_twice, NULL), "%zu %zu %d %d %zu", &solve, &sweep, &steps, &rejected, &increments),
                     5);
    print_message("           %d steps, %d rejected: a solve copies %zu bytes, a gradient %zu; increments of a step are %zu\n",
                  steps, rejected, solve, sweep, increments);
    assert_true(steps > 10 && rejected > 0);
    assert_true(solve < (size_t)(steps + rejected) * 512 && sweep < (size_t)steps * 512);
    assert_true(increments >= 800);
}

/* A training step waits as a solve and a sweep do, and for what else a regularizer wants to know of its step. */
static void training_waits_little(void **state)
{
    (void)state;
    static const model_case cases[] = {
        {"tests/fixtures/digits.lua", "sensitivity=discrete", 9},
        {"tests/fixtures/digits.lua", "sensitivity=interpolating", 9},
        {"tests/models/mixed.lua", "sensitivity=discrete", 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int waited, launched, steps;
        build(cases[i].file, cases[i].setting);
        batch = cases[i].batch;
        assert_int_equal(sscanf(world_run(train_often, NULL), "%d %d %d", &waited, &launched, &steps), 3);
        print_message("           %s, %s: %d steps: the host waits %d times, %d launches\n", cases[i].file, cases[i].setting,
                      steps, waited, launched);
        assert_true(waited <= (built->adjoint ? 8 : 5) && launched <= waited + 4);
    }
}

/* What a training step copies between host and device, when its batch crosses and when it is there. */
static void train_on_batches(char *text)
{
    enum { BATCHES = 2 };
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    lrnde_report r;
    lrnde_solver *s;
    lrnde_error e;
    lrnde_options o = LRNDE_OPTIONS;
    size_t copied[2 * BATCHES];
    world_model(&desc, &entry);
    o.batch = batch, o.training = 1, o.device = "cuda", o.batches = BATCHES;
    MUST(!lrnde_create(&s, &desc, &o, &e) && lrnde_device_remote(s));
    for (int i = 0; i < 2 * BATCHES; i++) {
        const double chosen = i % BATCHES;
        const size_t before = crossed();
        MUST(!lrnde_set(s, "inputs/batch", &chosen, sizeof chosen));
        if (i < BATCHES) set_inputs(s);
        MUST(!lrnde_train_step(s, &r));
        copied[i] = crossed() - before;
    }
    snprintf(text, WORLD_TEXT, "%zu %zu", copied[BATCHES - 1], copied[2 * BATCHES - 1]);
    lrnde_destroy(s);
    free((char *)entry.text);
}

/* Batches stay on the device: what crosses for a training step then is arguments and scalars, whatever the batch. */
static void batches_stay(void **state)
{
    (void)state;
    size_t first, second, inputs = 0;
    batch = 256;
    build("tests/fixtures/digits.lua", "sensitivity=discrete");
    for (int32_t i = 0; i < built->n_inputs; i++)
        inputs += (size_t)batch * (size_t)built->inputs[i].size * (size_t)built->real_bytes;
    assert_int_equal(sscanf(world_run(train_on_batches, NULL), "%zu %zu", &first, &second), 2);
    print_message("           a batch is %zu bytes: a step copies %zu with it, %zu without\n", inputs, first, second);
    assert_true(first >= inputs && first - second >= inputs && second < 16384);
}

/* A scenario with one: how often its gradient, and one after others, waits, and what that launches. */
static void sweep_often(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    world_model(&desc, &entry);
    solved v = {.s = create(&desc, "cuda", text), .output = desc.n_outputs ? desc.outputs[0].name : "u"};
    enum { TIMES = 3 };
    int waited[TIMES], launched = 0;
    MUST(v.s);
    set_inputs(v.s);
    for (int i = 0; i < TIMES; i++) {
        solve_for(&v);
        int before = waits();
        launched = launches();
        MUST(!lrnde_gradient(v.s, v.output, v.cot, v.bytes));
        waited[i] = waits() - before, launched = launches() - launched;
    }
    snprintf(text, WORLD_TEXT, "%d %d %d %d", waited[0], waited[TIMES - 1], launched, (int)v.steps);
    lrnde_destroy(v.s);
    free(v.cot);
    free((char *)entry.text);
}

/*
 * A sweep waits at its end.  One that integrates waits for the two norms of its first step and for its launches, and where the
 * quadrature is adaptive for every piece of it, which is longer than a step; solving u back, for how far it misses.  Steps that
 * are transposed are a launch for 64 of them, what the host does not wait in between is one where it came before; beside these
 * there are what begins and what ends a sweep.
 */
static void sweeps_wait_little(void **state)
{
    (void)state;
    const names files = lua_files("generator/sensitivities");
    for (int i = 0; i < files.n; i++) {
        int first, second, launched, steps;
        char text[300];
        setting(text, "sensitivity", files.path[i]);
        build("models/lotka_volterra.lua", text);
        batch = 3;
        assert_int_equal(sscanf(world_run(sweep_often, NULL), "%d %d %d %d", &first, &second, &launched, &steps), 4);
        print_message("           %s: %d steps: the host waits %d times, then %d, %d launches\n", text, steps, first, second,
                      launched);
        assert_true(steps > 200);
        assert_true(launched <= steps / 64 + second + 8);
        assert_true(second <= (built->sensitivity.differences ? steps / 5 : built->adjoint ? 5 : 1));
    }
}

/*
 * Steps of given lengths are launched without a wait for each: the host looks at 64 of them at a time, and waits at the end.  64
 * of them are a launch, one for their sums, and one for their increments; where a derivative ends every step, which is another
 * kernel, a graph.
 */
static void given_steps_wait_little(void **state)
{
    (void)state;
    static const model_case cases[] = {
        {"models/lotka_volterra.lua", "solver={method=\"rk4\",h=0.01,tspan={0,10}}", 3},
        {"models/lotka_volterra.lua", "solver={method=\"vcab3\",h=0.01,tspan={0,10}}", 3},
        {"models/lotka_volterra.lua", "solver={method=\"rodas5p\",h=0.02,tspan={0,10}}", 3},
        {"models/gbm.lua", "solver={method=\"euler_maruyama\",h=0.01,tspan={0,5}}", 40},
        {"models/gbm.lua", "solver={method=\"sosri\",h=0.01,tspan={0,5}}", 40},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int first, second, steps, launched;
        build(cases[i].file, cases[i].setting);
        batch = cases[i].batch;
        assert_int_equal(sscanf(world_run(solve_often, NULL), "%d %d %d %d", &first, &second, &steps, &launched), 4);
        print_message("           %s: %d steps: the host waits %d times, then %d, %d launches\n", built->method, steps, first,
                      second, launched);
        assert_true(steps >= 500 && second <= steps / 64 + 2);
        assert_true(launched <= 3 * (steps / 64 + 1) + 8);
    }
    batch = 3;
    int first, second, launched, steps;
    build_with("models/lotka_volterra.lua", cases[0].setting, "sensitivity=interpolating");
    assert_int_equal(sscanf(world_run(sweep_often, NULL), "%d %d %d %d", &first, &second, &launched, &steps), 4);
    assert_true(steps >= 500 && second <= steps / 64 + 2);
}

/* Where there is no memory for the sums of many steps, steps are kernels one by one, and not waited for either. */
static void given_steps_take_little(void **state)
{
    (void)state;
    int one_by_one = 0;
    build("models/lotka_volterra.lua", "solver={method=\"rk4\",h=0.01,tspan={0,10}}");
    batch = 3;
    for (long bytes = 4724000, room = 1; room; bytes -= 400) {
        int first, second, launched, steps, ran;
        char memory[64];
        snprintf(memory, sizeof memory, "FAKE_MEMORY=%ld", bytes);
        room = sscanf(world_run(solve_often, WITH(memory)), "%d %d %d %d %d", &first, &second, &steps, &launched, &ran) == 5;
        one_by_one += room && ran > 2 * steps;
        assert_true(!room || second <= steps / 64 + 2);
    }
    print_message("           one by one in %d memories\n", one_by_one);
    assert_true(one_by_one > 0);
}

int main(int argc, char **argv)
{
    world_enter(argv);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_few), cmocka_unit_test(sweeps_wait_little),      cmocka_unit_test(training_waits_little),
        cmocka_unit_test(noise_stays),   cmocka_unit_test(given_steps_wait_little), cmocka_unit_test(given_steps_take_little),
        cmocka_unit_test(batches_stay),
    };
    return cmocka_run_group_tests(tests, with_driver, world_remove);
}
