/*
 * test_cuda_driver.c - the CUDA driver without a GPU: what it says where something is missing or fails, and that with libraries
 * that pretend (tests/cuda_fakes) whole models give the bits they give on the CPU.
 */
#include "cuda_world.h"

#include "registries.h"

#include "cli/build.h"
#include "lrnde.h"

#include <math.h>
#include <pthread.h>

extern const lrnde_driver lrnde_driver_c;

#define WITH(...)                                                                                                                \
    (const char *const[])                                                                                                        \
    {                                                                                                                            \
        __VA_ARGS__, NULL                                                                                                        \
    }

/* ---- a model of two kernels ---- */

enum { TILES = 300, ELEMENTS = LRNDE_CHUNK + 9 };

static double number(int64_t i)
{
    return sin((double)i * 1.7 + 0.3);
}

static void toy_tile(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker)
{
    ((double *)a->partial)[(size_t)worker * a->partial_stride] += tile1 - tile0;
    for (int32_t tile = tile0; tile < tile1; tile++) a->sums[tile] = number(tile);
}

static void toy_shared(const lrnde_args *a, int64_t e0, int64_t e1)
{
    double sum = 0;
    for (int w = 0; w < a->workers; w++) sum += ((double *)a->partial)[(size_t)w * a->partial_stride];
    for (int64_t e = e0; e < e1; e++) sum += number(e);
    a->sums[a->tiles + e0 / LRNDE_CHUNK] = sum;
}

static const lrnde_system_desc toy_system;
static const lrnde_model_desc toy = {
    .abi = LRNDE_ABI,
    .name = "toy",
    .real_bytes = 8,
    .tile = 4,
    .forward = &toy_system,
    .head = {.name = "head", .tile = toy_tile, .shared = toy_shared, .shared_size = ELEMENTS, .n_sums = 1, .partial = 1},
};

static int leaks(void)
{
    int (*fake_leaks)(void);
    world_fake_function("fake_leaks", &fake_leaks);
    return fake_leaks();
}

/* ---- what is missing ---- */

static int32_t ordinal;
static const char *broken;

static void open_toy(char *text)
{
    lrnde_model_desc desc = toy;
    lrnde_text entry = {.backend = "cuda", .text = broken};
    if (broken)
        desc.n_texts = 1, desc.texts = &entry;
    else if (!getenv("WITHOUT_DRIVER"))
        world_model(&desc, &entry);
    lrnde_device *d = lrnde_driver_cuda.open(&desc, ordinal, 0, text, 256);
    if (d) {
        strcpy(text, "opened");
        lrnde_driver_cuda.close(d);
    }
    if (!broken) free((char *)entry.text);
    if (!getenv("WITHOUT_DRIVER")) MUST(leaks() == 0);
    MUST(!strchr(text, '\n'));
}

static void no_driver(void **state)
{
    (void)state;
    world_driver(NULL);
    assert_contains(world_run(open_toy, WITH("WITHOUT_DRIVER=1")), "no NVIDIA driver: ");
}

static void old_driver(void **state)
{
    (void)state;
    world_driver("libcuda_old.so");
    assert_contains(world_run(open_toy, NULL), "the NVIDIA driver is too old: it lacks cuLaunchKernel");
    world_driver("libcuda.so");
    assert_contains(world_run(open_toy, WITH("FAKE_VERSION=10020")),
                    "the NVIDIA driver is too old: it supports CUDA 10.2, 11.2 is needed");
}

static void no_device(void **state)
{
    (void)state;
    world_driver("libcuda.so");
    assert_contains(world_run(open_toy, WITH("FAKE_DEVICES=0")), "cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device");
    ordinal = 3;
    assert_contains(world_run(open_toy, WITH("FAKE_DEVICES=2")), "there is no device 3, there are 2");
    ordinal = 0;
    assert_string_equal(world_run(open_toy, NULL), "opened");
}

static void open_without_text(char *text)
{
    MUST(!lrnde_driver_cuda.open(&toy, 0, 0, text, 256));
    MUST(leaks() == 0);
}

static void no_kernels(void **state)
{
    (void)state;
    assert_contains(world_run(open_without_text, NULL), "toy was generated without kernels for cuda");
    broken = "toy_head_f64_tiles\n";
    assert_contains(world_run(open_toy, NULL), "toy_head_f64_tile: CUDA_ERROR_NOT_FOUND");
    broken = NULL;
}

static void no_compiler(void **state)
{
    (void)state;
    static char no_nvrtc[512]; /* not on the heap: a scenario would leak it */
    char *fake = world_fake("libcuda.so");
    snprintf(no_nvrtc, sizeof no_nvrtc, "LRNDE_NVRTC=%s", fake);
    free(fake);
    assert_contains(world_run(open_toy, WITH("LRNDE_NVRTC=/nowhere/libnvrtc.so")),
                    "NVRTC: /nowhere/libnvrtc.so: No such file or directory");
    assert_contains(world_run(open_toy, WITH(no_nvrtc, "LRNDE_CACHE=/dev/null")), "is no NVRTC from 11.2 on: it lacks nvrtc");
    assert_contains(world_run(open_toy, WITH("FAKE_NVRTC_VERSION=14", "LRNDE_CACHE=/dev/null")),
                    "is of CUDA 14.0, later than the NVIDIA driver's 13.0");
}

static void broken_text(void **state)
{
    (void)state;
    broken = "first\nsecond\n  #error nonsense\nlast\n";
    const char *text = world_run(open_toy, NULL);
    broken = NULL;
    assert_contains(text, "toy.cu(3): error: #error directive: nonsense: #error nonsense; all of it: ");
    const char *path = strstr(text, "all of it: ") + strlen("all of it: ");
    char line[128] = "";
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    assert_non_null(fgets(line, sizeof line, log));
    assert_contains(line, "toy.cu(1): warning");
    fclose(log);
}

static void little_memory(void **state)
{
    (void)state;
    assert_contains(world_run(open_toy, WITH("FAKE_MEMORY=1000")), "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY: out of memory");
}

/* ---- memory and sums ---- */

/* Arrays larger than the ring they pass through; what comes back is what was put, copied, added or cleared. */
static void move_arrays(char *text)
{
    enum { N = 1500000, ROWS = 3, STRIDE = N / 4 };
    lrnde_model_desc desc = toy;
    lrnde_text entry;
    world_model(&desc, &entry);
    const lrnde_driver *v = &lrnde_driver_cuda;
    lrnde_device *d = v->open(&desc, 0, 0, text, 256), *c = lrnde_driver_c.open(&desc, 0, 1, text, 256);
    double *from = malloc(N * sizeof *from), *back = malloc(N * sizeof *back), *sum = malloc(STRIDE * sizeof *sum);
    MUST(d && c && v->threads(d) == 132);
    void *a = v->alloc(d, N * sizeof *from), *b = v->alloc(d, N * sizeof *from);
    for (int64_t i = 0; i < N; i++) from[i] = number(i);

    v->get(d, back, a, N * sizeof *from);
    for (int64_t i = 0; i < N; i++) MUST(back[i] == 0);
    v->put(d, a, from, N * sizeof *from);
    v->copy(d, b, a, N * sizeof *from);
    v->zero(d, a, N / 2 * sizeof *from);
    v->get(d, back, b, N * sizeof *from);
    MUST(!memcmp(back, from, N * sizeof *from));
    v->get(d, back, a, N * sizeof *from);
    for (int64_t i = 0; i < N; i++) MUST(back[i] == (i < N / 2 ? 0 : from[i]));

    v->put(d, a, from, N * sizeof *from);
    v->add(d, a, (double *)b + STRIDE, ROWS, STRIDE, STRIDE - 7);
    v->get(d, back, a, N * sizeof *from);
    memcpy(sum, from, STRIDE * sizeof *sum);
    lrnde_driver_c.add(c, sum, from + STRIDE, ROWS, STRIDE, STRIDE - 7);
    MUST(!memcmp(back, sum, STRIDE * sizeof *sum));
    MUST(!memcmp(back + STRIDE, from + STRIDE, (N - STRIDE) * sizeof *from));

    v->free(d, a);
    v->free(d, b);
    MUST(!v->sync(d));
    v->close(d);
    lrnde_driver_c.close(c);
    free(from);
    free(back);
    free(sum);
    free((char *)entry.text);
    MUST(leaks() == 0);
}

static void arrays(void **state)
{
    (void)state;
    world_run(move_arrays, NULL);
}

/* Sums of any number of rows, of both phases; up to a block of rows in the order of the CPU, and so its bits. */
static void add_sums(char *text)
{
    static const int32_t counts[] = {1, 5, 255, 256, 257, TILES, 5000};
    lrnde_model_desc desc = toy;
    lrnde_text entry;
    world_model(&desc, &entry);
    const lrnde_driver *const drivers[] = {&lrnde_driver_c, &lrnde_driver_cuda};
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        double total[2][2];
        for (int i = 0; i < 2; i++) {
            const lrnde_driver *v = drivers[i];
            lrnde_device *d = v->open(&desc, 0, 1, text, 256);
            MUST(d);
            lrnde_args a = {.tiles = counts[n], .workers = v->workers(d, counts[n]), .partial_stride = 8};
            a.sums = v->alloc(d, (size_t)(counts[n] + 2) * sizeof(double));
            a.partial = v->alloc(d, (size_t)a.workers * 8 * sizeof(double));
            for (int launch = 0; launch < 2; launch++) v->launch(d, &desc.head, &a, &total[i][launch]);
            v->free(d, a.sums);
            v->free(d, a.partial);
            v->close(d);
        }
        MUST(total[0][0] == total[0][1] && total[1][0] == total[1][1]);
        MUST(counts[n] + 2 > 256 ? fabs(total[0][0] - total[1][0]) < 1e-10 : total[0][0] == total[1][0]);
    }
    free((char *)entry.text);
}

static void sums(void **state)
{
    (void)state;
    world_run(add_sums, NULL);
}

/* ---- whole models ---- */

typedef struct model_case {
    const char *file, *setting;
    int32_t batch;
} model_case;

static const options_tool TOOL = {.program = "test_cuda_driver"};
static const lrnde_model_desc *built;
static int32_t batch;

static void build(const char *file, const char *change)
{
    build_request request = {.model_file = file, .set = {&change, 1}};
    assert_int_equal(build_model(&request, &TOOL, &built), EXIT_DONE);
}

static lrnde_solver *create(const lrnde_model_desc *desc, const char *device, char *text)
{
    lrnde_solver *s;
    lrnde_error e;
    lrnde_options o = LRNDE_OPTIONS;
    o.batch = batch, o.training = 1, o.device = device, o.seed = 3;
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
        lrnde_array u;
        if (desc->n_loss) {
            MUST(!lrnde_train_step(s, &r));
            fprintf(to, "%a %a %a %a\n", r.loss, r.reg, r.E, r.grad_norm);
        }
        const char *name = desc->n_outputs ? desc->outputs[0].name : "u";
        MUST(!lrnde_solve(s, NULL, 0, NULL) && !lrnde_array_find(s, name, &u));
        char *cot = malloc(u.bytes);
        MUST(!lrnde_get(s, name, cot, u.bytes) && !lrnde_gradient(s, name, cot, u.bytes));
        free(cot);
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
    MUST(leaks() == 0);
}

static void compare_model(const char *file, const char *change, int32_t samples)
{
    build(file, change);
    batch = samples;
    const char *text = world_run(compare, NULL);
    if (*text) fail_msg("%s, %s: %s", file, change, text);
}

static void models(void **state)
{
    (void)state;
    static const model_case cases[] = {
        {"models/lotka_volterra.lua", "solver.method=dop853", 3},
        {"tests/fixtures/digits.lua", "sensitivity=interpolating", 9},
        {"tests/models/mixed.lua", "regularize.step_size=automatic", 8},
        {"tests/models/wide.lua", "sensitivity=discrete", 70},
        {"tests/models/wide.lua", "sensitivity=interpolating", 70},
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

/* ---- failures of a device that was there ---- */

static void *solve_elsewhere(void *s)
{
    return (void *)(intptr_t)lrnde_solve(s, NULL, 0, NULL);
}

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
        lrnde_destroy(s);
    }
    free((char *)entry.text);
    MUST(leaks() == 0);
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
    for (int waits = 1; waits < 60; waits += 3) {
        snprintf(lost, sizeof lost, "FAKE_LOST=%d", waits);
        assert_contains(world_run(use, WITH(lost)), "cuda failed: cuStreamSynchronize: CUDA_ERROR_DEVICE_UNAVAILABLE: ");
    }
    assert_contains(world_run(use, WITH("FAKE_MEMORY=4196000")), "out of memory: ");
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
    (void)argc;
    world_enter(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_driver),     cmocka_unit_test(old_driver),    cmocka_unit_test(no_device),
        cmocka_unit_test(no_kernels),    cmocka_unit_test(no_compiler),   cmocka_unit_test(broken_text),
        cmocka_unit_test(little_memory), cmocka_unit_test(arrays),        cmocka_unit_test(sums),
        cmocka_unit_test(models),        cmocka_unit_test(sensitivities), cmocka_unit_test(locates),
        cmocka_unit_test(failures),      cmocka_unit_test(falls_back),
    };
    return cmocka_run_group_tests(tests, NULL, world_remove);
}
