/*
 * test_cuda_models.c - whole models through the CUDA driver without a GPU: with libraries that pretend (tests/cuda_fakes) they
 * give the bits they give on the CPU; how often the host waits; what is said of a device that fails.
 */
#include "cuda_world.h"

#include "registries.h"

#include "cli/build.h"
#include "lrnde.h"

#include <math.h>
#include <pthread.h>

static double number(int64_t i)
{
    return sin((double)i * 1.7 + 0.3);
}

typedef struct model_case {
    const char *file, *setting;
    int32_t batch;
} model_case;

static const options_tool TOOL = {.program = "test_cuda_models"};
static const lrnde_model_desc *built;
static int32_t batch;
static int64_t most_steps; /* 0: as many as the model says */
static size_t limit;       /* of memory; 0: none */

static void build_with(const char *file, const char *change, const char *another)
{
    const char *changes[] = {change, another};
    build_request request = {.model_file = file, .set = {changes, another ? 2 : 1}};
    assert_int_equal(build_model(&request, &TOOL, &built), EXIT_DONE);
}

static void build(const char *file, const char *change)
{
    build_with(file, change, NULL);
}

static lrnde_solver *create(const lrnde_model_desc *desc, const char *device, char *text)
{
    lrnde_solver *s;
    lrnde_error e;
    lrnde_options o = LRNDE_OPTIONS;
    o.batch = batch, o.training = 1, o.device = device, o.seed = 3;
    o.max_steps = most_steps, o.memory_limit = limit;
    o.threads = (batch + desc->tile - 1) / desc->tile; /* a worker a tile, as on the device */
    if (lrnde_create(&s, desc, &o, &e)) snprintf(text, WORLD_TEXT, "%s", e.text);
    return s;
}

static void set_inputs(lrnde_solver *s)
{
    const lrnde_model_desc *desc = lrnde_model(s);
    const double t[] = {0, 0.2, 0.5, 0.8};
    lrnde_array a;
    if (desc->saveat_data) MUST(!lrnde_set(s, "t", t, sizeof t));
    for (int32_t i = 0; i < desc->n_inputs; i++) {
        MUST(!lrnde_array_find(s, desc->inputs[i].name, &a));
        size_t n = a.bytes / (a.type == LRNDE_F64 ? 8 : 4);
        char *x = malloc(a.bytes);
        for (size_t k = 0; k < n; k++)
            if (a.type == LRNDE_I32)
                ((int32_t *)x)[k] = (int32_t)(k % (size_t)desc->inputs[i].classes);
            else if (a.type == LRNDE_F32)
                ((float *)x)[k] = (float)number((int64_t)k);
            else
                ((double *)x)[k] = number((int64_t)k);
        MUST(!lrnde_set(s, a.name, x, a.bytes));
        free(x);
    }
}

static void print_stats(FILE *to, const lrnde_stats *x)
{
    fprintf(to, "%lld %lld %lld %lld ", (long long)x->accepted, (long long)x->rejected, (long long)x->nfe,
            (long long)x->rhs_calls);
    fprintf(to, "%lld %lld %lld ", (long long)x->nfe_diffusion, (long long)x->nfe_dense, (long long)x->nfe_local);
    fprintf(to, "%a %a %a\n", x->first_h, x->t, x->h);
}

/* Everything a solver does, and then everything it holds. */
static char *results(const lrnde_model_desc *desc, const char *device, size_t *size)
{
    char *bytes, text[WORLD_TEXT] = "";
    FILE *to = open_memstream(&bytes, size);
    lrnde_solver *s = create(desc, device, text);
    if (!s) fprintf(stderr, "%s\n", text);
    MUST(s && !strcmp(lrnde_device_name(s), device));
    set_inputs(s);
    for (int step = 0; step < 2; step++) {
        lrnde_report r;
        lrnde_stats stats;
        lrnde_array u;
        if (desc->n_loss) {
            MUST(!lrnde_train_step(s, &r));
            fprintf(to, "%a %a %a %a\n", r.loss, r.reg, r.E, r.grad_norm);
        }
        const char *name = desc->n_outputs ? desc->outputs[0].name : "u";
        MUST(!lrnde_solve(s, NULL, 0, &stats) && !lrnde_array_find(s, name, &u));
        print_stats(to, &stats);
        char *cot = malloc(u.bytes);
        MUST(!lrnde_get(s, name, cot, u.bytes) && !lrnde_gradient(s, name, cot, u.bytes));
        free(cot);
        const lrnde_storage storage = lrnde_storage_of(s);
        fprintf(to, "%lld %lld\n", (long long)storage.checkpoints, (long long)storage.recomputed);
    }
    for (int32_t i = 0; i < lrnde_array_count(s); i++) {
        lrnde_array a;
        MUST(!lrnde_array_at(s, i, &a));
        if (!a.can_get) continue;
        char *x = malloc(a.bytes);
        MUST(!lrnde_get(s, a.name, x, a.bytes));
        if (a.type == LRNDE_I32) MUST(((int32_t *)x)[1] == 1);
        fwrite(x, a.bytes, 1, to);
        free(x);
    }
    lrnde_destroy(s);
    fclose(to);
    return bytes;
}

static void compare(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    size_t n, m;
    world_model(&desc, &entry);
    char *cpu = results(&desc, "cpu", &n), *cuda = results(&desc, "cuda", &m);
    if (n != m || memcmp(cpu, cuda, n)) strcpy(text, "different");
    free(cpu);
    free(cuda);
    free((char *)entry.text);
    MUST(world_leaks() == 0);
}

/* Whether the device takes the steps by itself, or the runtime has to. */
static void compare_model(const char *file, const char *change, int32_t samples)
{
    static const char *const settings[] = {"WITH_RUN=1", "FAKE_RESIDENT=0", "WITHOUT_RUN=1"};
    build(file, change);
    batch = samples;
    for (int i = 0; i < 3; i++) {
        const char *text = world_run(compare, WITH(settings[i]));
        if (*text) fail_msg("%s, %s, %s: %s", file, change, settings[i], text);
    }
}

/* How steps are taken follows from what the device has room for, and is said. */
static void say_form(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    world_model(&desc, &entry);
    lrnde_solver *s = create(&desc, "cuda", text);
    MUST(s);
    snprintf(text, WORLD_TEXT, "%s", lrnde_device_note(s));
    lrnde_destroy(s);
    free((char *)entry.text);
}

static void clusters(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *note;
    } devices[] = {
        {"FAKE_CLUSTERS=33", "steps by clusters of 4 blocks, 33 of them at once"},
        {"FAKE_CLUSTERS=1", "steps by clusters of 4 blocks, 1 of them at once"},
        {"FAKE_CLUSTERS=0", "steps by blocks: a cluster of 4, 60000 bytes each, does not fit"},
        {"FAKE_SHARED=59999", "steps by blocks: a cluster of 4, 60000 bytes each, does not fit"},
        {"FAKE_REFUSED=720", "steps by clusters of 4 blocks, 33 of them at once"},
        {"FAKE_COMPILED=86", "steps by blocks: a cluster of 4, 60000 bytes each, does not fit"},
        {"FAKE_CAPABILITY=80", ""},
    };
    static const char *const settings[] = {"sensitivity=discrete", "sensitivity=interpolating"};
    for (size_t i = 0; i < 2 * sizeof devices / sizeof *devices; i++) {
        build("tests/models/wide.lua", settings[i % 2]);
        batch = 70;
        const char *text = world_run(compare, WITH("WITH_CLUSTERS=1", devices[i / 2].setting));
        if (*text) fail_msg("%s: %s", devices[i / 2].setting, text);
        assert_string_equal(world_run(say_form, WITH("WITH_CLUSTERS=1", devices[i / 2].setting)), devices[i / 2].note);
    }
}

static int waits(void)
{
    int (*fake_waits)(void);
    world_fake_function("fake_waits", &fake_waits);
    return fake_waits();
}

static int launches(void)
{
    int (*fake_launches)(void);
    world_fake_function("fake_launches", &fake_launches);
    return fake_launches();
}

static size_t crossed(void)
{
    size_t (*fake_crossed)(void);
    world_fake_function("fake_crossed", &fake_crossed);
    return fake_crossed();
}

/* How often a solve, and then another, waits for the device. */
static void solve_twice(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    int before[3];
    world_model(&desc, &entry);
    lrnde_solver *s = create(&desc, "cuda", text);
    lrnde_stats stats;
    MUST(s);
    set_inputs(s);
    for (int i = 0; i < 2; i++) {
        before[i] = waits();
        MUST(!lrnde_solve(s, NULL, 0, &stats));
    }
    before[2] = waits();
    snprintf(text, WORLD_TEXT, "%d %d %d", before[1] - before[0], before[2] - before[1], (int)stats.accepted);
    lrnde_destroy(s);
    free((char *)entry.text);
}

/* How often a training step, and then another, waits; what that launches. */
static void train_twice(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    lrnde_report r;
    world_model(&desc, &entry);
    lrnde_solver *s = create(&desc, "cuda", text);
    MUST(s);
    set_inputs(s);
    MUST(!lrnde_train_step(s, &r));
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
    assert_int_equal(sscanf(world_run(solve_twice, NULL), "%d %d %d", &first, &second, &steps), 3);
    print_message("           %d steps: the host waits %d times, then %d\n", steps, first, second);
    assert_true(steps > 100);
    assert_true(first <= steps / 8 + 5);
    assert_int_equal(second, 4);
    assert_int_equal(sscanf(world_run(solve_twice, WITH("FAKE_RESIDENT=0")), "%d %d %d", &first, &second, &steps), 3);
    assert_true(second >= steps);
    static const char *const stores[] = {"L.discrete{store=\"state\"}", "L.discrete{checkpoints=10}", "L.gauss{checkpoints=10}"};
    for (int i = 0; i < 3; i++) {
        char text[300];
        snprintf(text, sizeof text, "sensitivity=%s", stores[i]);
        build("models/lotka_volterra.lua", text);
        assert_int_equal(sscanf(world_run(solve_twice, NULL), "%d %d %d", &first, &second, &steps), 3);
        print_message("           %s, %d steps: the host waits %d times, then %d\n", text, steps, first, second);
        assert_true(steps > 100 && second <= (i ? steps / 8 + 5 : 4));
    }
    build("models/lotka_volterra.lua", "solver.method=vcab3"); /* whose first steps are waited for */
    assert_int_equal(sscanf(world_run(solve_twice, NULL), "%d %d %d", &first, &second, &steps), 3);
    print_message("           vcab3, %d steps: the host waits %d times, then %d\n", steps, first, second);
    assert_true(steps > 1000 && second <= steps / 256 + 7);
    build("tests/models/mixed.lua", "regularize.step_size=automatic"); /* an output and a loss at four times */
    assert_int_equal(sscanf(world_run(solve_twice, NULL), "%d %d %d", &first, &second, &steps), 3);
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
    assert_true(solve < (size_t)(steps + rejected) * 64 && sweep < (size_t)steps * 512);
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
        assert_int_equal(sscanf(world_run(train_twice, NULL), "%d %d %d", &waited, &launched, &steps), 3);
        print_message("           %s, %s: %d steps: the host waits %d times, and launches %d kernels\n", cases[i].file,
                      cases[i].setting, steps, waited, launched);
        assert_true(waited <= (built->adjoint ? 8 : 5));
    }
}

/* A solver with a solution, and a cotangent of its first output. */
typedef struct solved {
    lrnde_solver *s;
    const char *output;
    char *cot;
    size_t bytes;
    int64_t steps;
} solved;

static void solve_for(solved *v)
{
    lrnde_stats stats;
    lrnde_array u;
    MUST(!lrnde_solve(v->s, NULL, 0, &stats) && !lrnde_array_find(v->s, v->output, &u));
    v->bytes = u.bytes;
    v->cot = realloc(v->cot, u.bytes);
    v->steps = stats.accepted;
    MUST(!lrnde_get(v->s, v->output, v->cot, u.bytes));
}

/* A scenario with one: how often its gradient, and then another, waits, and what that launches. */
static void sweep_twice(char *text)
{
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    world_model(&desc, &entry);
    solved v = {.s = create(&desc, "cuda", text), .output = desc.n_outputs ? desc.outputs[0].name : "u"};
    int found[2], launched = 0;
    MUST(v.s);
    set_inputs(v.s);
    for (int i = 0; i < 2; i++) {
        solve_for(&v);
        int before = waits();
        launched = launches();
        MUST(!lrnde_gradient(v.s, v.output, v.cot, v.bytes));
        found[i] = waits() - before, launched = launches() - launched;
    }
    snprintf(text, WORLD_TEXT, "%d %d %d %d", found[0], found[1], launched, (int)v.steps);
    lrnde_destroy(v.s);
    free(v.cot);
    free((char *)entry.text);
}

/*
 * A sweep waits at its end.  One that integrates waits for the two norms of its first step and for its launches, and where the
 * quadrature is adaptive for every piece of it, which is longer than a step; solving u back, for how far it misses.  Steps that
 * are transposed are a launch for 64 of them; beside these there are what begins and what ends a sweep.
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
        assert_int_equal(sscanf(world_run(sweep_twice, NULL), "%d %d %d %d", &first, &second, &launched, &steps), 4);
        print_message("           %s: %d steps: the host waits %d times, then %d, and launches %d kernels\n", text, steps, first,
                      second, launched);
        assert_true(steps > 200);
        assert_true(built->sensitivity.differences || launched <= steps / 64 + 16);
        assert_true(second <= (built->sensitivity.differences ? steps / 5 : built->adjoint ? 5 : 1));
    }
}

/* Steps of given lengths are launched without a wait for each: the host looks at 64 of them at a time, and waits at the end. */
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
        int first, second, steps;
        build(cases[i].file, cases[i].setting);
        batch = cases[i].batch;
        assert_int_equal(sscanf(world_run(solve_twice, NULL), "%d %d %d", &first, &second, &steps), 3);
        print_message("           %s: %d steps: the host waits %d times, then %d\n", built->method, steps, first, second);
        assert_true(steps >= 500 && second <= steps / 64 + 2);
    }
    batch = 3;
    int first, second, launched, steps;
    build_with("models/lotka_volterra.lua", cases[0].setting, "sensitivity=interpolating");
    assert_int_equal(sscanf(world_run(sweep_twice, NULL), "%d %d %d %d", &first, &second, &launched, &steps), 4);
    assert_true(steps >= 500 && second <= steps / 64 + 2);
}

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

static void models(void **state)
{
    (void)state;
    static const model_case cases[] = {
        {"models/lotka_volterra.lua", "solver.method=dop853", 3},
        {"models/lotka_volterra.lua", "solver.tspan={1,0}", 3},
        {"models/lotka_volterra.lua", "solver={method=\"vcab3\",rtol=1e-5,atol=1e-5,tspan={0,2}}", 3},
        {"tests/models/mixed.lua", "solver.method=vcab3", 8},
        {"models/lotka_volterra.lua", "sensitivity=L.interpolating{checkpoints=5}", 3},
        {"models/lotka_volterra.lua", "sensitivity=L.discrete{checkpoints=5}", 3},
        {"tests/models/mixed.lua", "sensitivity=L.discrete{store=\"state\"}", 8},
        {"tests/models/mixed.lua", "sensitivity=L.discrete{checkpoints=2}", 8},
        {"tests/fixtures/digits.lua", "sensitivity=interpolating", 9},
        {"tests/models/mixed.lua", "regularize.step_size=automatic", 8},
        {"tests/models/wide.lua", "sensitivity=discrete", 70},
        {"tests/models/stochastic.lua", "sensitivity=discrete", 5},
        {"tests/models/wide.lua", "sensitivity=interpolating", 70},
        {"models/lotka_volterra.lua", "solver={method=\"rk4\",h=0.02,tspan={0,2}}", 3},
        {"tests/models/mixed.lua", "solver.h=0.007", 8},
        {"tests/models/stochastic.lua", "solver.h=0.007", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) compare_model(cases[i].file, cases[i].setting, cases[i].batch);
}

static void sensitivities(void **state)
{
    (void)state;
    const names files = lua_files("generator/sensitivities");
    for (int i = 0; i < files.n; i++) {
        char text[300];
        setting(text, "sensitivity", files.path[i]);
        compare_model("models/lotka_volterra.lua", text, 5);
        compare_model("tests/models/mixed.lua", text, 37);
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

static int with_driver(void **state)
{
    (void)state;
    world_driver("libcuda.so");
    return 0;
}

int main(int argc, char **argv)
{
    world_enter(argv);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_few), cmocka_unit_test(sweeps_wait_little), cmocka_unit_test(training_waits_little),
        cmocka_unit_test(sweeps_stop),   cmocka_unit_test(lost_in_a_sweep),    cmocka_unit_test(models),
        cmocka_unit_test(clusters),      cmocka_unit_test(sensitivities),      cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(locates),       cmocka_unit_test(noise_stays),        cmocka_unit_test(given_steps_wait_little),
        cmocka_unit_test(limits),        cmocka_unit_test(failures),           cmocka_unit_test(falls_back),
    };
    return cmocka_run_group_tests(tests, with_driver, world_remove);
}
