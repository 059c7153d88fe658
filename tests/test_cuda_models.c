/*
 * test_cuda_models.c - whole models through the CUDA driver without a GPU: with libraries that pretend (tests/cuda_fakes) they
 * give the bits they give on the CPU.
 */
#include "cuda_models.h"

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

/* In a scenario: the same of solves without a record, and of local steps of theirs. */
static void compare_without_record(char *text)
{
    enum { MOST = 4096 };
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    static double u[2][MOST];
    static lrnde_local_report r[2][2];
    lrnde_stats stats[2];
    world_model(&desc, &entry);
    for (int i = 0; i < 2; i++) {
        lrnde_options o = LRNDE_OPTIONS;
        lrnde_solver *s;
        lrnde_array a;
        lrnde_error e;
        o.batch = batch, o.device = i ? "cuda" : "cpu", o.threads = batch, o.seed = 3;
        MUST(!lrnde_create(&s, &desc, &o, &e));
        set_inputs(s);
        for (int k = 0; k < 2 && desc.regularizer.n_terms; k++) MUST(!lrnde_local(s, 0.3 + 0.2 * k, 0, &r[i][k]));
        MUST(!lrnde_solve(s, NULL, 0, &stats[i]) && !lrnde_array_find(s, "u", &a) && a.bytes <= sizeof u[i]);
        MUST(!lrnde_get(s, "u", u[i], a.bytes));
        lrnde_destroy(s);
    }
    free((char *)entry.text);
    const int same =
        !memcmp(u[0], u[1], sizeof u[0]) && !memcmp(r[0], r[1], sizeof r[0]) && stats[0].rejected == stats[1].rejected;
    snprintf(text, WORLD_TEXT, "%d %d %d", same, (int)stats[1].accepted, (int)stats[1].rejected);
}

static void without_record(void **state)
{
    (void)state;
    static const model_case cases[] = {
        {"models/lotka_volterra.lua", "solver.rtol=1e-4", 3},
        {"models/ornstein_uhlenbeck.lua", "solver.atol=3e-3", 5},
        {"models/gbm.lua", "solver.rtol=1e-1", 40},
        {"tests/models/stochastic.lua", "regularize.sampling=biased", 5},
        {"tests/models/stochastic.lua", "regularize.sampling=unbiased", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int same, accepted, rejected;
        build(cases[i].file, cases[i].setting);
        batch = cases[i].batch;
        assert_int_equal(sscanf(world_run(compare_without_record, NULL), "%d %d %d", &same, &accepted, &rejected), 3);
        print_message("           %s, %s: %d + %d steps\n", cases[i].file, cases[i].setting, accepted, rejected);
        assert_true(same);
    }
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
        {"WITH_TENSOR_CORES=1", "steps by clusters of 4 blocks, 33 of them at once, products on tensor cores in 3xtf32"},
        {"WITH_TENSOR_CORES=2", "steps by clusters of 4 blocks, 33 of them at once, products on tensor cores in tf32"},
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
        {"tests/models/stochastic.lua", "sensitivity=L.discrete{checkpoints=2}", 5},
        {"tests/models/stochastic.lua", "regularize=false", 37},
        {"models/ornstein_uhlenbeck.lua", "solver.atol=3e-3", 5},
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

int main(int argc, char **argv)
{
    world_enter(argv);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models),
        cmocka_unit_test(clusters),
        cmocka_unit_test(sensitivities),
        cmocka_unit_test(without_record),
    };
    return cmocka_run_group_tests(tests, with_driver, world_remove);
}
