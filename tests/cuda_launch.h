/*
 * cuda_launch.h - the emitted CUDA text on this CPU, launched through a driver like any other.
 *
 * The text that a model's descriptor carries is compiled by a C++ compiler against tests/cuda/sim.h, where a CUDA thread is a
 * fiber.  Every array ends where its memory does, so that reading or writing beyond one ends the program.
 */
#ifndef TESTS_CUDA_LAUNCH_H
#define TESTS_CUDA_LAUNCH_H

#include "kernel_compare.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    LARGE = 50000, /* parameters */
    SECONDS = 600, /* of a processor, for all tests of a program */
    BLOCKS = 24    /* at most, of a launch: where there are more workers a block is one after another */
};

static const options_tool TOOL = {.program = "test_cuda"};

/* ---- a driver ---- */

struct lrnde_device {
    const lrnde_model_desc *model;
    int32_t workers;
};

static void *library; /* the compiled text */

/* Puts the address of what the text defines into *at, whatever its type. */
static inline void find_symbol(const char *name, void *at)
{
    void *symbol = dlsym(library, name);
    if (!symbol) fail_msg("%s", dlerror());
    memcpy(at, &symbol, sizeof symbol);
}

/* The kernels of systems have a prefix. */
static inline void kernel_symbol(const lrnde_model_desc *m, const lrnde_kernel *kernel, const char *phase, char name[static 256])
{
    const char *prefix = "";
    lrnde_named_system systems[LRNDE_MOST_SYSTEMS];
    for (int32_t i = lrnde_systems(m, systems); i-- > 0;) {
        const char *s = (const char *)systems[i].system;
        if ((const char *)kernel >= s && (const char *)kernel < s + sizeof(lrnde_system_desc)) prefix = systems[i].prefix;
    }
    snprintf(name, 256, "%s_%s%s_%s_%s", m->name, prefix, kernel->name, m->real_bytes == sizeof(float) ? "f32" : "f64", phase);
}

static inline lrnde_device *sim_open(const lrnde_model_desc *desc, int32_t ordinal, int32_t threads, char *why, size_t size)
{
    (void)ordinal, (void)why, (void)size;
    lrnde_device *d = malloc(sizeof *d);
    *d = (lrnde_device){.model = desc, .workers = threads};
    return d;
}

static inline void sim_close(lrnde_device *d)
{
    free(d);
}

static inline int32_t sim_threads(const lrnde_device *d)
{
    return d->workers;
}

static inline int32_t sim_workers(const lrnde_device *d, int32_t tiles)
{
    return d->workers < tiles ? d->workers : tiles;
}

/* Memory between pages that may not be touched, ending at the second; what was mapped is noted at its beginning. */
static inline void *sim_alloc(lrnde_device *d, size_t bytes)
{
    (void)d;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (bytes + 7) / 8 * 8;
    const size_t room = (used + sizeof room + page - 1) / page * page, mapped = room + 2 * page;
    char *base = mmap(NULL, mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base + page, room, PROT_READ | PROT_WRITE)) return NULL;
    char *at = base + page + room - used;
    memcpy(at - sizeof mapped, &mapped, sizeof mapped);
    return at;
}

static inline void sim_free(lrnde_device *d, void *p)
{
    (void)d;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    char *noted = (char *)p - sizeof(size_t);
    size_t mapped;
    memcpy(&mapped, noted, sizeof mapped);
    munmap(noted - (uintptr_t)noted % page - page, mapped);
}

static inline void sim_copy(lrnde_device *d, void *to, const void *from, size_t bytes)
{
    (void)d;
    memcpy(to, from, bytes);
}

static inline void sim_zero(lrnde_device *d, void *p, size_t bytes)
{
    (void)d;
    memset(p, 0, bytes);
}

#define ADD_ROWS(real)                                                                                                           \
    for (int32_t row = 0; row < rows; row++)                                                                                     \
        for (int64_t i = 0; i < n; i++) ((real *)to)[i] += ((const real *)from)[row * stride + i]

static inline void sim_add(lrnde_device *d, void *to, const void *from, int32_t rows, size_t stride, int64_t n)
{
    if (d->model->real_bytes == sizeof(float)) {
        ADD_ROWS(float);
    } else {
        ADD_ROWS(double);
    }
}

/* The function of a phase, and the threads of its blocks. */
static inline int find_phase(lrnde_device *d, const lrnde_kernel *kernel, const char *phase, void (**function)(void))
{
    char name[256], bound[64];
    const int *threads;
    snprintf(bound, sizeof bound, "sim_%s_threads", phase);
    find_symbol(bound, &threads);
    kernel_symbol(d->model, kernel, phase, name);
    find_symbol(name, function);
    return *threads;
}

static inline void sim_run_tile(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *a)
{
    void (*function)(void);
    void (*launch)(void (*)(void), const void *, int64_t, int64_t, int, int);
    const int threads = find_phase(d, kernel, "tile", &function);
    find_symbol("sim_launch_tile", &launch);
    launch(function, a, 1, 0, a->workers < BLOCKS ? a->workers : BLOCKS, threads);
}

static inline void sim_run_shared(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *a, int chunks)
{
    void (*function)(void);
    void (*launch)(void (*)(void), const void *, int, int);
    const int threads = find_phase(d, kernel, "shared", &function);
    find_symbol("sim_launch_shared", &launch);
    launch(function, a, chunks, threads);
}

static inline void sim_launch(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *a, double *total)
{
    const int64_t chunks = kernel->shared ? (kernel->shared_size + LRNDE_CHUNK - 1) / LRNDE_CHUNK : 0;
    const int64_t rows = (kernel->tile ? a->tiles : 0) + chunks;
    for (int32_t w = 0; kernel->shared && w < a->workers; w++)
        memset((char *)a->partial + w * a->partial_stride * (size_t)d->model->real_bytes, 0,
               (size_t)(kernel->partial * d->model->real_bytes));
    if (kernel->tile) sim_run_tile(d, kernel, a);
    if (kernel->shared) sim_run_shared(d, kernel, a, (int)chunks);
    const double *sums = a->sums + (kernel->tile ? 0 : (int64_t)a->tiles * kernel->n_sums);
    memset(total, 0, (size_t)kernel->n_sums * sizeof *total);
    for (int64_t row = 0; row < rows; row++)
        for (int32_t i = 0; i < kernel->n_sums; i++) total[i] += sums[row * kernel->n_sums + i];
}

static inline const char *sim_sync(lrnde_device *d)
{
    (void)d;
    return NULL;
}

static const lrnde_driver SIM = {
    .name = "cuda",
    .open = sim_open,
    .close = sim_close,
    .threads = sim_threads,
    .workers = sim_workers,
    .alloc = sim_alloc,
    .free = sim_free,
    .put = sim_copy,
    .get = sim_copy,
    .copy = sim_copy,
    .zero = sim_zero,
    .add = sim_add,
    .launch = sim_launch,
    .sync = sim_sync,
};

/* ---- text to kernels ---- */

static char folder[] = "/tmp/test_cuda.XXXXXX";

static inline void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Compiles a text and makes its kernels those that SIM launches. */
static inline void load_text(const char *text, const char *options)
{
    static int count;
    char source[256], command[1024];
    snprintf(source, sizeof source, "%s/%d.cu", folder, count++);
    write_text(source, text);
    snprintf(command, sizeof command,
             "${CXX:-g++} -std=c++17 %s -fPIC -shared -march=native -ffp-contract=off -Wno-unknown-pragmas -DKERNELS='\"%s\"' "
             "-o %s.so tests/cuda/sim.cpp",
             options, source, source);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "%s.so", source);
    if (library) dlclose(library);
    library = dlopen(command, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail_msg("%s", dlerror());
    unlink(command);
    unlink(source);
}

/* A text with one thing in the place of another, everywhere; the caller frees it. */
static inline char *replaced(const char *text, const char *from, const char *to)
{
    const int n = occurrences(text, from);
    if (!n) fail_msg("the text has no '%s'", from);
    char *result = malloc(strlen(text) + (size_t)n * strlen(to) + 1), *end = result;
    for (const char *at; (at = strstr(text, from)); text = at + strlen(from))
        end += sprintf(end, "%.*s%s", (int)(at - text), text, to);
    strcpy(end, text);
    return result;
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Schedules (sim.h). */
enum { N_ORDERS = 4 };
static const char *const ORDERS[N_ORDERS] = {"skew:1", "reverse", "forward", "skew:2"};

/* Builds a variant and loads its text. */
static inline const lrnde_model_desc *load_variant(const variant *v)
{
    const lrnde_model_desc *m;
    build_variant(v, NULL, &TOOL, &m);
    const lrnde_text *text = lrnde_text_for(m, &SIM);
    assert_non_null(text);
    assert_true(strlen(text->text) < 1000000);
    load_text(text->text, m->n_params < LARGE ? "-O1" : "-O2");
    return m;
}

/*
 * To be called first in main.  An argument: the tests whose name matches it.  A program that goes on for ever has failed; what
 * counts is its own time, not that of who shares the machine.
 */
static inline void sim_begin(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS});
    setenv("CC", "tests/quick_cc.sh", 1);
}

#endif
