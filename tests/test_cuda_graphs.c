/*
 * test_cuda_graphs.c - sequences of launches that come again: that they are graphs then, and that these change nothing, by the
 * CUDA driver library that pretends (tests/cuda_fakes).
 */
#include "cuda_models.h"

extern const lrnde_driver lrnde_driver_c;

/* ---- a solve ---- */

typedef struct sequence_case {
    model_case model;
    const char *another;
    int gradient; /* of what is repeated; else the solve */
} sequence_case;

/* Steps that another kernel follows, a quadrature that is adaptive, steps that are taken again one by one. */
static const sequence_case CASES[] = {
    {{"models/lotka_volterra.lua", "solver={method=\"vcab3\",h=0.01,tspan={0,5}}", 3}, NULL, 0},
    {{"models/lotka_volterra.lua", "sensitivity=quadrature", 3}, NULL, 1},
    {{"models/lotka_volterra.lua", "sensitivity=L.discrete{checkpoints=10}", 3}, NULL, 1},
};
enum { N_CASES = sizeof CASES / sizeof *CASES };

static const sequence_case *chosen;

/* Bits of all that is found, in 64 bits. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return hash;
}

/* What is found, launches and kernels of the third time, steps. */
static void repeat(char *text)
{
    enum { TIMES = 4 };
    lrnde_model_desc desc = *built;
    lrnde_text entry;
    world_model(&desc, &entry);
    solved v = {.s = create(&desc, "cuda", text), .output = desc.n_outputs ? desc.outputs[0].name : "u"};
    uint64_t hash = 14695981039346656037u;
    int launched = 0, ran = 0;
    if (!v.s) return;
    set_inputs(v.s);
    const size_t bytes = (size_t)desc.n_params * (size_t)desc.real_bytes;
    char *gradient = malloc(bytes);
    for (int i = 0; i < TIMES; i++) {
        if (!chosen->gradient) launched = launches(), ran = kernels_run();
        lrnde_array u;
        lrnde_stats stats;
        if (lrnde_solve(v.s, NULL, 0, &stats) || lrnde_array_find(v.s, v.output, &u)) break;
        v.steps = stats.accepted;
        if (chosen->gradient) launched = launches(), ran = kernels_run();
        v.cot = realloc(v.cot, u.bytes);
        if (lrnde_get(v.s, v.output, v.cot, u.bytes)) break;
        hash = mix(hash, v.cot, u.bytes);
        if (!chosen->gradient) continue;
        if (lrnde_gradient(v.s, v.output, v.cot, u.bytes) || lrnde_get(v.s, "grad/params", gradient, bytes)) break;
        hash = mix(hash, gradient, bytes);
    }
    if (*lrnde_last_error(v.s)->text)
        snprintf(text, WORLD_TEXT, "%s", lrnde_last_error(v.s)->text);
    else
        snprintf(text, WORLD_TEXT, "%llx %d %d %d", (unsigned long long)hash, launches() - launched, kernels_run() - ran,
                 (int)v.steps);
    lrnde_destroy(v.s);
    free(v.cot);
    free(gradient);
    free((char *)entry.text);
    MUST(world_leaks() == 0);
}

/* The same bits with graphs and without: turned off, refused, refused when changed, not known to the driver. */
static void graphs_change_nothing(void **state)
{
    (void)state;
    static const char *const without[] = {"LRNDE_CUDA_GRAPHS=0", "FAKE_NO_GRAPH=801", "FAKE_NO_UPDATE=1", "early"};
    int changed = 0; /* graphs that had to be told something */
    for (chosen = CASES; chosen < CASES + N_CASES; chosen++) {
        unsigned long long hash, other;
        int launched, ran, steps, one_by_one;
        build_with(chosen->model.file, chosen->model.setting, chosen->another);
        batch = chosen->model.batch;
        const char *text = world_run(repeat, NULL);
        if (sscanf(text, "%llx %d %d %d", &hash, &launched, &ran, &steps) != 4) fail_msg("%s", text);
        print_message("           %s: %d steps are %d kernels in %d launches\n", chosen->model.setting, steps, ran, launched);
        assert_true(steps > 200 && ran > steps && launched * 4 < ran);
        for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
            const int early = !strcmp(without[i], "early");
            world_driver(early ? "libcuda_early.so" : "libcuda.so");
            text = world_run(repeat, WITH(without[i]));
            world_driver("libcuda.so");
            if (sscanf(text, "%llx %d", &other, &one_by_one) != 2) fail_msg("%s", text);
            assert_true(other == hash);
            const int no_update = !strncmp(without[i], "FAKE_NO_UPDATE", 14);
            changed += no_update && one_by_one > launched;
            assert_true(one_by_one == ran || (no_update && one_by_one >= launched));
        }
    }
    assert_true(changed > 0);
}

/* A graph that cannot be launched is a failure like any other. */
static void failed_launches(void **state)
{
    (void)state;
    chosen = CASES;
    build(chosen->model.file, chosen->model.setting);
    batch = chosen->model.batch;
    assert_contains(world_run(repeat, WITH("FAKE_GRAPH_LAUNCH=701")), "cuGraphLaunch: CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
}

/* ---- sequences ---- */

enum { LENGTHS = 40, ROUNDS = 4, N = 100 };

/* Of more kinds than are kept, longer ones than a graph, with other arguments every time. */
static void many_sequences(char *text)
{
    build("models/lotka_volterra.lua", "sensitivity=discrete");
    const lrnde_driver *const drivers[] = {&lrnde_driver_c, &lrnde_driver_cuda};
    double found[2][N];
    for (int i = 0; i < 2; i++) {
        const lrnde_driver *v = drivers[i];
        lrnde_model_desc desc = *built;
        lrnde_text entry;
        world_model(&desc, &entry);
        lrnde_device *d = v->open(&desc, 0, 1, text, 256);
        MUST(d);
        double *x = v->alloc(d, 8 * N * sizeof *x), start[8 * N];
        for (int k = 0; k < 8 * N; k++) start[k] = number(k);
        v->put(d, x, start, sizeof start);
        for (int round = 0; round < ROUNDS; round++) {
            for (int length = 1; length < LENGTHS; length++) {
                for (int k = 0; k < length * length; k++) {
                    double *to = x + (round + k) % 7 * N, *from = x + (round + length + k + 1) % 7 * N;
                    if (k % 5 == 3)
                        v->copy(d, to, from, sizeof(double) * (size_t)(N - round));
                    else
                        v->combine(d, to, 0, 0.5, from, round % 2 ? 0.25 : -0.5, to, N - k % 3);
                }
                v->add(d, x + 7 * N, x + length % 7 * N, 1, 0, N);
                MUST(!v->sync(d));
            }
        }
        v->get(d, found[i], x + 7 * N, sizeof found[i]);
        v->free(d, x);
        v->close(d);
        free((char *)entry.text);
    }
    MUST(isfinite(found[0][0]) && found[0][0] != 0 && !memcmp(found[0], found[1], sizeof found[0]));
    MUST(world_leaks() == 0);
    snprintf(text, WORLD_TEXT, "%d %d", launches(), kernels_run());
}

static void sequences_come_and_go(void **state)
{
    (void)state;
    int launched, ran;
    batch = 1;
    assert_int_equal(sscanf(world_run(many_sequences, NULL), "%d %d", &launched, &ran), 2);
    print_message("           %d kernels in %d launches\n", ran, launched);
    assert_true(launched < ran);
}

int main(int argc, char **argv)
{
    world_enter(argv);
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graphs_change_nothing),
        cmocka_unit_test(failed_launches),
        cmocka_unit_test(sequences_come_and_go),
    };
    return cmocka_run_group_tests(tests, with_driver, world_remove);
}
