/*
 * test_nvrtc_parts.c - a model's CUDA text compiled in parts, as the driver asks for them, by processes of its own; and the
 * seconds of what solving needs, what training needs and all.  Needs NVRTC, else it says so and skips; the driver library
 * is one that knows what is in a module, and no more.
 */
#include "kernel_compare.h"

#include "modules.h"
#include "nvrtc.h"

#include <elf.h>
#include <glob.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const options_tool TOOL = {.program = "test_nvrtc_parts"};

struct CUmod_st {
    const char *image;
    size_t size;
};

static int modules_loaded, functions_found;

static CUresult load_module(CUmodule *module, const void *image)
{
    const Elf64_Ehdr *elf = image;
    assert_memory_equal(elf->e_ident, ELFMAG, SELFMAG);
    struct CUmod_st *m = malloc(sizeof *m);
    m->size = elf->e_shoff + (size_t)elf->e_shnum * elf->e_shentsize;
    m->image = memcpy(malloc(m->size), image, m->size);
    *module = m;
    modules_loaded++;
    return 0;
}

static CUresult unload_module(CUmodule module)
{
    free((char *)module->image);
    free(module);
    return 0;
}

static CUresult find_function(CUfunction *function, CUmodule module, const char *name)
{
    char section[256];
    int n = snprintf(section, sizeof section, ".text.%s", name) + 1; /* with its NUL */
    *function = (CUfunction)memmem(module->image, module->size, section, (size_t)n);
    functions_found++;
    return *function ? 0 : 500;
}

static CUresult say_threads(int *value, int attribute, CUfunction function)
{
    (void)attribute, (void)function;
    *value = 32;
    return 0;
}

static CUresult set_shared(CUfunction function, int attribute, int value)
{
    (void)attribute, (void)function;
    return value > 48 << 10 ? 0 : 1;
}

/* They are not launched here: that there are such functions is enough. */
static CUresult launch_clusters(const CUlaunchConfig *shape, CUfunction function, void **arguments, void **extra)
{
    (void)shape, (void)function, (void)arguments, (void)extra;
    return 1;
}

static CUresult count_clusters(int *clusters, CUfunction function, const CUlaunchConfig *shape)
{
    (void)clusters, (void)function, (void)shape;
    return 1;
}

static CUresult name_error(CUresult error, const char **text)
{
    (void)error, (void)text;
    return 0;
}

/* Seconds, by the clock and of processors, those of children included: that others use the machine shows in the first only. */
typedef struct seconds {
    double wall, busy;
} seconds;

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static seconds now(void)
{
    struct timespec wall;
    struct rusage self, children;
    clock_gettime(CLOCK_MONOTONIC, &wall);
    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    return (seconds){(double)wall.tv_sec + 1e-9 * (double)wall.tv_nsec, seconds_of(self.ru_utime) + seconds_of(self.ru_stime) +
                                                                            seconds_of(children.ru_utime) +
                                                                            seconds_of(children.ru_stime)};
}

static seconds since(seconds start)
{
    seconds end = now();
    return (seconds){end.wall - start.wall, end.busy - start.busy};
}

/* Loads what solving needs, what training needs, then all the rest: other forms of these, what is rare. */
static void load_parts(const lrnde_model_desc *m, const lrnde__cuda_api *cu, const char *from)
{
    static lrnde__cuda_modules modules;
    char why[512];
    seconds start = now(), solving, training, all;
    modules_loaded = functions_found = 0;
    if (lrnde__cuda_modules_open(&modules, cu, m, &m->texts[0], 90, why, sizeof why)) fail_msg("%s", why);
    assert_int_equal(modules_loaded, 3); /* the driver's own, common, steps */
    solving = since(start);
    for (int32_t i = 0; i < modules.n_kernels; i++) {
        const lrnde__cuda_kernel *k = &modules.kernels[i];
        if (k->tile.part == LRNDE__CUDA_REVERSE && lrnde__cuda_modules_need(&modules, &k->tile, why, sizeof why))
            fail_msg("%s", why);
    }
    training = since(start);
    for (int32_t i = 0; i < modules.n_kernels; i++) {
        const lrnde__cuda_kernel *k = &modules.kernels[i];
        if (lrnde__cuda_modules_need(&modules, &k->tile, why, sizeof why)) fail_msg("%s", why);
        if (lrnde__cuda_modules_need(&modules, &k->shared, why, sizeof why)) fail_msg("%s", why);
    }
    if (lrnde__cuda_modules_need(&modules, &modules.run, why, sizeof why)) fail_msg("%s", why);
    if (lrnde__cuda_modules_need(&modules, &modules.run_tape, why, sizeof why)) fail_msg("%s", why);
    if (lrnde__cuda_modules_need(&modules, &modules.cluster_run, why, sizeof why)) fail_msg("%s", why);
    if (lrnde__cuda_modules_need(&modules, &modules.cluster_run_tape, why, sizeof why)) fail_msg("%s", why);
    if (lrnde__cuda_modules_need(&modules, &modules.adjoint_run, why, sizeof why)) fail_msg("%s", why);
    all = since(start);
    lrnde__cuda_modules_close(&modules);
    assert_int_equal(functions_found - 6, occurrences(m->texts[0].text, "extern \"C\" __global__"));
    print_message("           %-12s %s: solving %.3f s (%.3f busy), training %.3f s (%.3f), all %.3f s (%.3f)\n", m->name, from,
                  solving.wall, solving.busy, training.wall, training.busy, all.wall, all.busy);
}

/* Every entry point is in the part that is asked for it; the second time all come from the cache. */
static void parts(void **state)
{
    (void)state;
    static const char *const files[] = {"models/spiral.lua", "models/mnist_node.lua"};
    static const lrnde__cuda_api cu = {.cuModuleLoadData = load_module,
                                       .cuModuleUnload = unload_module,
                                       .cuModuleGetFunction = find_function,
                                       .cuFuncGetAttribute = say_threads,
                                       .cuFuncSetAttribute = set_shared,
                                       .cuOccupancyMaxActiveClusters = count_clusters,
                                       .cuLaunchKernelEx = launch_clusters,
                                       .cuGetErrorName = name_error,
                                       .cuGetErrorString = name_error,
                                       .version = 13000};
    char folder[] = "/tmp/test_nvrtc.XXXXXX", pattern[64], why[256], *found = lrnde__nvrtc_find(cu.version, why, sizeof why);
    const char *was = getenv("LRNDE_CACHE");
    char *cache = was ? strdup(was) : NULL;
    glob_t cached;
    if (!found) {
        print_message("           skipped: %s\n", why);
        skip();
    }
    free(found);
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const lrnde_model_desc *m;
        build_variant(&(variant){files[i], NULL, {NULL}}, NULL, &TOOL, &m);
        setenv("LRNDE_CACHE", folder, 1);
        load_parts(m, &cu, "compiled");
        load_parts(m, &cu, "cached  ");
        cache ? setenv("LRNDE_CACHE", cache, 1) : unsetenv("LRNDE_CACHE");
    }
    snprintf(pattern, sizeof pattern, "%s/cuda/*", folder);
    assert_int_equal(glob(pattern, 0, NULL, &cached), 0);
    for (size_t i = 0; i < cached.gl_pathc; i++) unlink(cached.gl_pathv[i]);
    globfree(&cached);
    free(cache);
    snprintf(pattern, sizeof pattern, "%s/cuda", folder);
    assert_int_equal(rmdir(pattern) || rmdir(folder), 0);
}

int main(void)
{
    setenv("CC", "tests/quick_cc.sh", 1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
