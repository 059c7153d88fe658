/*
 * cuda_world.h - a world in which NVIDIA's libraries are those of tests/cuda_fakes, and the cache is a folder of the test's.
 *
 * The dynamic linker reads LD_LIBRARY_PATH when a program starts, so the test starts itself again in that world.  A library
 * once loaded stays, so every scenario is a process of its own: world_run forks, and returns what the scenario has to say.
 */
#ifndef TESTS_CUDA_WORLD_H
#define TESTS_CUDA_WORLD_H

#include "cases.h"

#include "driver.h"

#include <dlfcn.h>
#include <ftw.h>
#include <libgen.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

extern const lrnde_driver lrnde_driver_cuda;

enum { WORLD_TEXT = 4096, WORLD_SECONDS = 100, WORLD_CLUSTER = 4 /* blocks of one, where there are clusters */ };

static inline const char *world_folder(void)
{
    return getenv("CUDA_WORLD");
}

/* A path in the world's folder, valid until the next call. */
static inline const char *world_file(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", world_folder(), name);
    return path;
}

/* The path of a fake, beside this program; the caller frees it. */
static inline char *world_fake(const char *name)
{
    char program[4096], *path;
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n < 0 ? 0 : n] = '\0';
    if (asprintf(&path, "%s/cuda_fakes/%s", dirname(program), name) < 0) abort();
    return path;
}

/* Which library goes by the name of NVIDIA's driver; NULL: a file that is no library. */
static inline void world_driver(const char *fake)
{
    unlink(world_file("libcuda.so.1"));
    if (fake) {
        char *path = world_fake(fake);
        assert_int_equal(symlink(path, world_file("libcuda.so.1")), 0);
        free(path);
    } else {
        FILE *to = fopen(world_file("libcuda.so.1"), "w");
        assert_non_null(to);
        fputs("not a library\n", to);
        fclose(to);
    }
}

static inline int world_remove_file(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s, (void)kind, (void)at;
    return remove(path);
}

static inline int world_remove(void **state)
{
    (void)state;
    return nftw(world_folder(), world_remove_file, 8, FTW_DEPTH | FTW_PHYS);
}

/* To be called first in main: returns only in the world. */
static inline void world_enter(char **argv)
{
    if (world_folder()) return;
    char folder[] = "/tmp/lrnde-world-XXXXXX", *compiler = world_fake("libnvrtc.so");
    if (!mkdtemp(folder)) abort();
    setenv("CUDA_WORLD", folder, 1);
    setenv("LD_LIBRARY_PATH", folder, 1);
    setenv("LRNDE_NVRTC", compiler, 1);
    setenv("FAKE_NVRTC_JOURNAL", world_file("journal"), 1);
    execv("/proc/self/exe", argv);
    abort();
}

/* In a scenario: what must be true there. */
#define MUST(condition)                                                                                                          \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                                            \
            _exit(1);                                                                                                            \
        }                                                                                                                        \
    } while (0)

/* Settings of a scenario. */
#define WITH(...)                                                                                                                \
    (const char *const[])                                                                                                        \
    {                                                                                                                            \
        __VA_ARGS__, NULL                                                                                                        \
    }

/* Runs a scenario in a process of its own, with settings "NAME=VALUE"... NULL added to its environment; *status: how it ended. */
static inline const char *world_try(void (*scenario)(char *text), const char *const *settings, int *status)
{
    static char *text;
    if (!text) text = mmap(NULL, WORLD_TEXT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(text != MAP_FAILED);
    *text = '\0';
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}; /* cmocka would go on in this process */
        for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) signal(fatal[i], SIG_DFL);
        alarm(WORLD_SECONDS);
        char *cache = strdup(world_file("cache"));
        setenv("LRNDE_CACHE", cache, 1);
        free(cache);
        for (; settings && *settings; settings++) putenv((char *)*settings);
        scenario(text);
        exit(0);
    }
    assert_int_equal(waitpid(child, status, 0), child);
    return text;
}

/* The same of one that ends well. */
static inline const char *world_run(void (*scenario)(char *text), const char *const *settings)
{
    int status;
    const char *text = world_try(scenario, settings, &status);
    if (status) fail_msg("the scenario ended with status %#x: %s", status, text);
    return text;
}

/* A function of the fake driver library, into the pointer to a function at `function`. */
static inline void world_fake_function(const char *name, void *function)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    MUST(library && (*(void **)function = dlsym(library, name)));
}

/* What closed devices left behind. */
static inline int world_leaks(void)
{
    int (*fake_leaks)(void);
    world_fake_function("fake_leaks", &fake_leaks);
    return fake_leaks();
}

/* Symbols and text of a model's kernels, and which C kernels the fake driver runs for them. */
static inline void world_add_kernel(FILE *text, const lrnde_model_desc *desc, const char *prefix, const lrnde_kernel *kernel)
{
    char symbol[160];
    void (*fake_kernel)(const char *, const lrnde_kernel *);
    world_fake_function("fake_kernel", &fake_kernel);
    if (!kernel->tile && !kernel->shared) return;
    snprintf(symbol, sizeof symbol, "%s_%s%s_%s", desc->name, prefix, kernel->name, desc->real_bytes == 4 ? "f32" : "f64");
    if (kernel->tile) fprintf(text, "%s_tile\n", symbol);
    if (kernel->shared) fprintf(text, "%s_shared\n", symbol);
    fake_kernel(symbol, kernel);
}

static inline void world_add_system(FILE *text, const lrnde_model_desc *desc, const char *prefix, const lrnde_system_desc *sys)
{
#define LRNDE_X(name, doc) world_add_kernel(text, desc, prefix, &sys->name);
    LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
}

/* Kernels that go courses, for models that have steps to go. */
static inline void world_add_run(FILE *text, const lrnde_model_desc *desc, const char *name, const lrnde_system_desc *sys,
                                 const lrnde_kernel *step)
{
    void (*fake_run)(const char *, const lrnde_model_desc *, const lrnde_system_desc *, const lrnde_kernel *);
    char symbol[160];
    world_fake_function("fake_run", &fake_run);
    snprintf(symbol, sizeof symbol, "%s_%s_%s", desc->name, name, desc->real_bytes == 4 ? "f32" : "f64");
    if (!sys->finish || !step->tile) return;
    fprintf(text, "%s\n", symbol);
    fake_run(symbol, desc, sys, step);
}

static inline void world_add_runs(FILE *text, const lrnde_model_desc *desc)
{
    const lrnde_system_desc *forward = desc->forward, *adjoint = desc->adjoint;
    world_add_run(text, desc, "run", forward, &forward->step);
    world_add_run(text, desc, "run_tape", forward, &forward->step_tape);
    if (adjoint) world_add_run(text, desc, "adjoint_run", adjoint, &adjoint->step);
    if (!getenv("WITH_CLUSTERS")) return;
    fprintf(text, "CLUSTER = %d,\n", WORLD_CLUSTER);
    world_add_run(text, desc, "cluster_run", forward, &forward->step);
    world_add_run(text, desc, "cluster_run_tape", forward, &forward->step_tape);
}

/* What a worker needs: the text stands for the C kernels. */
static inline int64_t world_work(const lrnde_model_desc *desc)
{
    int64_t most = 0;
    lrnde_named_system systems[LRNDE_MOST_SYSTEMS];
    for (int32_t i = lrnde_systems(desc, systems); i-- > 0;) {
#define LRNDE_X(name, doc)                                                                                                       \
    if (systems[i].system->name.work > most) most = systems[i].system->name.work;
        LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
    }
#define LRNDE_X(name, doc)                                                                                                       \
    if (desc->name.work > most) most = desc->name.work;
    LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
    return most;
}

/* Gives a copy of a model a text for cuda; in a scenario. */
static inline void world_model(lrnde_model_desc *desc, lrnde_text *entry)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    lrnde_named_system systems[LRNDE_MOST_SYSTEMS];
    for (int32_t i = lrnde_systems(desc, systems); i-- > 0;) world_add_system(to, desc, systems[i].prefix, systems[i].system);
    if (desc->forward && !getenv("WITHOUT_RUN")) world_add_runs(to, desc);
#define LRNDE_X(name, doc) world_add_kernel(to, desc, "", &desc->name);
    LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
    fclose(to);
    *entry = (lrnde_text){.backend = "cuda", .text = text, .tile = desc->tile, .work = world_work(desc)};
    const char *tensor_cores = getenv("WITH_TENSOR_CORES");
    if (getenv("WITH_CLUSTERS")) memcpy(entry->own, (int32_t[]){WORLD_CLUSTER, 2, 60000}, sizeof(int32_t[3]));
    if (tensor_cores) entry->own[3] = atoi(tensor_cores);
    desc->n_texts = 1;
    desc->texts = entry;
}

#endif
