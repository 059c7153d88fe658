/*
 * test_cuda_driver.c - the CUDA driver without a GPU, with libraries that pretend (tests/cuda_fakes): what it says where
 * something is missing, memory and sums.  Whole models: test_cuda_models.c.
 */
#include "cuda_world.h"

#include "lrnde.h"

#include <math.h>

extern const lrnde_driver lrnde_driver_c;

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
    if (!getenv("WITHOUT_DRIVER")) MUST(world_leaks() == 0);
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
    MUST(world_leaks() == 0);
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
    MUST(world_leaks() == 0);
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

/* The same of squares, of any number of elements. */
static void add_squares(char *text)
{
    static const int64_t counts[] = {0, 1, LRNDE_CHUNK, 3 * LRNDE_CHUNK + 7, 1030 * LRNDE_CHUNK + 5};
    lrnde_model_desc desc = toy;
    lrnde_text entry;
    world_model(&desc, &entry);
    const lrnde_driver *const drivers[] = {&lrnde_driver_c, &lrnde_driver_cuda};
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        double total[2], exact = 0, *x = malloc((size_t)counts[n] * sizeof *x + 1);
        for (int64_t i = 0; i < counts[n]; i++) x[i] = (double)(i % 5), exact += x[i] * x[i];
        for (int i = 0; i < 2; i++) {
            const lrnde_driver *v = drivers[i];
            lrnde_device *d = v->open(&desc, 0, 1, text, 256);
            MUST(d);
            void *there = v->alloc(d, (size_t)counts[n] * sizeof *x + 8);
            v->put(d, there, x, (size_t)counts[n] * sizeof *x);
            v->squares(d, there, counts[n], &total[i]);
            MUST(!v->sync(d) && total[i] == exact);
            for (int64_t k = 0; k < counts[n]; k++) x[k] *= 1.1;
            v->put(d, there, x, (size_t)counts[n] * sizeof *x);
            v->squares(d, there, counts[n], &total[i]);
            for (int64_t k = 0; k < counts[n]; k++) x[k] = (double)(k % 5);
            v->free(d, there);
            v->close(d);
        }
        MUST(counts[n] > 256 * LRNDE_CHUNK ? fabs(total[0] - total[1]) < 1e-10 * total[0] : total[0] == total[1]);
        free(x);
    }
    free((char *)entry.text);
}

static void sums(void **state)
{
    (void)state;
    world_run(add_sums, NULL);
    world_run(add_squares, NULL);
}

/* Draws and sums of two terms have the bits of the CPU: of one number and of two, in arrays of any shape, rounded or not, one draw
   or several. */
static void draw_and_combine(char *text)
{
    static const lrnde_draw draws[] = {
        {.key = 0x123456789abcdef0, .draw = 7, .batch = 150, .tile = 70, .tiles = 3, .size = 50},
        {.key = 5, .draw = 0xffffffff, .batch = 1, .tile = 32, .tiles = 1, .size = 1},
        {.key = 1ull << 63, .draw = 0, .batch = 300000, .tile = 32, .tiles = 9375, .size = 1}, /* more than there are threads */
    };
    enum { MOST = 300000, ARRAYS = 7 };
    const lrnde_driver *const drivers[] = {&lrnde_driver_c, &lrnde_driver_cuda};
    double *found[2];
    for (int i = 0; i < 2; i++) found[i] = calloc(ARRAYS * MOST, sizeof **found);
    for (size_t n = 0; n < sizeof draws / sizeof *draws; n++) {
        for (int i = 0; i < 2; i++) {
            const lrnde_driver *v = drivers[i];
            lrnde_model_desc desc = toy;
            lrnde_text entry;
            desc.real_bytes = n % 2 ? 8 : 4;
            world_model(&desc, &entry);
            lrnde_device *d = v->open(&desc, 0, 1, text, 256);
            MUST(d);
            const int64_t size = (int64_t)draws[n].tiles * draws[n].tile * draws[n].size;
            double *x[ARRAYS];
            for (int k = 0; k < ARRAYS; k++) x[k] = v->alloc(d, (size_t)size * sizeof(double));
            v->normals(d, &draws[n], 2, (double[]){0.3, 1}, (void *[]){x[0], x[1], x[2], NULL}, 0);
            v->normals(d, &draws[n], 2, (double[]){0.7, 2}, (void *[]){x[4], NULL, x[5], x[6]}, 1);
            v->combine(d, x[3], 1, 0.7, x[0], -1, x[2], size);
            v->combine(d, x[2], 0, 0.1, x[1], 3, x[2], size);
            for (int k = 0; k < ARRAYS; k++) {
                v->get(d, found[i] + k * MOST, x[k], (size_t)size * sizeof(double));
                v->free(d, x[k]);
            }
            v->close(d);
            free((char *)entry.text);
        }
        MUST(!memcmp(found[0], found[1], ARRAYS * MOST * sizeof **found));
    }
    free(found[0]);
    free(found[1]);
}

static void noise(void **state)
{
    (void)state;
    world_run(draw_and_combine, NULL);
}

int main(int argc, char **argv)
{
    (void)argc;
    world_enter(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_driver),     cmocka_unit_test(old_driver),  cmocka_unit_test(no_device),
        cmocka_unit_test(no_kernels),    cmocka_unit_test(no_compiler), cmocka_unit_test(broken_text),
        cmocka_unit_test(little_memory), cmocka_unit_test(arrays),      cmocka_unit_test(sums),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, world_remove);
}
