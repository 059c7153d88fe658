/*
 * kernels.h - modules of the fake driver library, and what its launches run: for a model's kernels those in C that the test
 * names, or their text as tests/cuda/sim.cpp makes a library of it, for the driver's own their text, compiled as C.
 */
#ifndef CUDA_FAKES_KERNELS_H
#define CUDA_FAKES_KERNELS_H

#include "memory.h"

#include "control.h"
#include "kernel.h"
#include "pieces.h"
#include "vectors.h"

#include <dlfcn.h>
#include <setjmp.h>

/* ---- modules: what the fake compiler made is the text ---- */

struct CUmod_st {
    char *text;
};

typedef enum kind { TILE, SHARED, RUN, ADD, SUMS, SQUARES, COMBINE, COPY, ZERO, NORMALS } kind;

/* The driver's own, in the order of kinds from ADD on. */
static const char *const OWN[] = {"lrnde_add",  "lrnde_sums", "lrnde_squares", "lrnde_combine",
                                  "lrnde_copy", "lrnde_zero", "lrnde_normals"};
enum { N_OWN = sizeof OWN / sizeof *OWN };

struct CUfunc_st {
    char name[192];
    kind kind;
    int is_float;
    unsigned cluster;             /* blocks of one; 0: it is not for clusters */
    unsigned shared_bytes;        /* that a launch may ask for */
    const lrnde_kernel *kernel;   /* of RUN, the one that takes a step */
    const lrnde_system_desc *sys; /* of RUN */
    const lrnde_model_desc *desc; /* of RUN */
};

enum { MOST_KERNELS = 256, MOST_RUNS = 8, MOST_FUNCTIONS = 512 };

static struct {
    char symbol[160];
    const lrnde_kernel *kernel;
} kernels[MOST_KERNELS];
static int n_kernels;
static struct CUfunc_st runs[MOST_RUNS];
static int n_runs;
static struct CUfunc_st functions[MOST_FUNCTIONS];
static int n_functions;

/* The test says what runs in the place of a kernel. */
void fake_kernel(const char *symbol, const lrnde_kernel *kernel)
{
    MUST(n_kernels < MOST_KERNELS, "too many kernels");
    snprintf(kernels[n_kernels].symbol, sizeof kernels->symbol, "%s", symbol);
    kernels[n_kernels++].kernel = kernel;
}

/* The same of a kernel that goes courses. */
void fake_run(const char *symbol, const lrnde_model_desc *desc, const lrnde_system_desc *sys, const lrnde_kernel *step)
{
    MUST(n_runs < MOST_RUNS, "too many kernels");
    runs[n_runs] = (struct CUfunc_st){.kind = RUN, .desc = desc, .sys = sys, .kernel = step};
    snprintf(runs[n_runs++].name, sizeof runs->name, "%s", symbol);
}

static void *library; /* of the model's text; NULL: the kernels are in C */

/* The test says that the text runs, in the place of itself. */
void fake_text(void *compiled)
{
    library = compiled;
}

/* Puts the address of what the library defines into *at, whatever its type. */
static void find_in_text(const char *name, void *at)
{
    void *symbol = dlsym(library, name);
    MUST(symbol, "%s", dlerror());
    memcpy(at, &symbol, sizeof symbol);
}

CUresult cuModuleLoadData(CUmodule *module, const void *image)
{
    MUST(!strncmp(image, "FAKE CUBIN", 10), "the image is not what the compiler made");
    *module = malloc(sizeof **module);
    (*module)->text = strdup(image);
    return 0;
}

CUresult cuModuleUnload(CUmodule module)
{
    free(module->text);
    free(module);
    return 0;
}

static const lrnde_kernel *kernel_of(const char *name, const char *phase)
{
    for (int i = 0; i < n_kernels; i++) {
        size_t n = strlen(kernels[i].symbol);
        if (!strncmp(name, kernels[i].symbol, n) && !strcmp(name + n, phase)) return kernels[i].kernel;
    }
    return NULL;
}

static const struct CUfunc_st *run_of(const char *name)
{
    for (int i = 0; i < n_runs; i++)
        if (!strcmp(name, runs[i].name)) return &runs[i];
    return NULL;
}

static int ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n > m && !strcmp(name + n - m, ending);
}

static kind kind_in_text(const char *name)
{
    return ends_in(name, "_tile") ? TILE : ends_in(name, "_shared") ? SHARED : RUN;
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name)
{
    struct CUfunc_st f = {.is_float = strstr(module->text, "typedef float REAL") != NULL};
    if (!strstr(module->text, name)) return 500;
    if (strstr(name, "_cluster_run") && setting("FAKE_COMPILED", 90) < 90) return 500;
    snprintf(f.name, sizeof f.name, "%s", name);
    const struct CUfunc_st *run = run_of(name);
    const char *cluster = strstr(name, "_cluster_run") ? strstr(module->text, "CLUSTER = ") : NULL;
    int own = 0;
    while (own < N_OWN && strcmp(name, OWN[own]) != 0) own++;
    if (run)
        f = *run;
    else if (own < N_OWN)
        f.kind = (kind)(ADD + own);
    else if (library)
        f.kind = kind_in_text(name);
    else if ((f.kernel = kernel_of(name, "_tile")))
        f.kind = TILE;
    else if ((f.kernel = kernel_of(name, "_shared")))
        f.kind = SHARED;
    else
        return 500;
    if (cluster) f.cluster = (unsigned)atoi(cluster + strlen("CLUSTER = "));
    MUST(n_functions < MOST_FUNCTIONS, "too many functions");
    functions[n_functions] = f;
    *function = &functions[n_functions++];
    return 0;
}

/* Launch bounds: of what works on tiles, of the others. */
enum { TILE_THREADS = 32, OTHER_THREADS = 256 };

/* Is it the driver's own? */
static int is_own(CUfunction f)
{
    return f->kind >= ADD;
}

static int threads_of(CUfunction f)
{
    const int *threads;
    if (is_own(f) || !library) return is_own(f) || f->kind == SHARED ? OTHER_THREADS : TILE_THREADS;
    find_in_text(f->kind == SHARED ? "sim_shared_threads" : "sim_tile_threads", &threads);
    return *threads;
}

CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function)
{
    MUST(attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, "a function is asked for attribute %d", attribute);
    *value = threads_of(function);
    return 0;
}

CUresult cuFuncSetAttribute(CUfunction function, int attribute, int value)
{
    MUST(attribute == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES && function->cluster && value > 0, "%s: attribute %d is %d",
         function->name, attribute, value);
    if (value > setting("FAKE_SHARED", 227 * 1024)) return 1;
    function->shared_bytes = (unsigned)value;
    return 0;
}

static void check_shape(CUfunction f, const CUlaunchConfig *shape)
{
    MUST(shape->gridDimY == 1 && shape->gridDimZ == 1 && shape->blockDimY == 1 && shape->blockDimZ == 1 && shape->gridDimX > 0,
         "%s: launched in another shape", f->name);
    MUST(shape->attrs[0].id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION && shape->attrs[0].value.cluster.x == f->cluster &&
             shape->attrs[0].value.cluster.y == 1 && shape->attrs[0].value.cluster.z == 1,
         "%s: of other clusters", f->name);
    MUST(f->kind == RUN && f->cluster && shape->gridDimX % f->cluster == 0, "%s: %u blocks in clusters of %u", f->name,
         shape->gridDimX, f->cluster);
    MUST(f->shared_bytes && shape->sharedMemBytes == f->shared_bytes, "%s: %u bytes of shared memory of %u", f->name,
         shape->sharedMemBytes, f->shared_bytes);
}

CUresult cuOccupancyMaxActiveClusters(int *clusters, CUfunction function, const CUlaunchConfig *shape)
{
    check_shape(function, shape);
    MUST(shape->numAttrs == 1, "%s: asked with attributes of a launch", function->name);
    *clusters = (int)setting("FAKE_CLUSTERS", 33);
    return 0;
}

CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction function, int threads, size_t shared_bytes)
{
    MUST(function->kind == RUN && threads == threads_of(function) && shared_bytes == 0, "%s: asked how often it fits",
         function->name);
    *blocks = (int)setting("FAKE_RESIDENT", 1);
    return 0;
}

/* ---- the driver's own kernels: threads run one after another, to the barrier and then, from the start, beyond it ---- */

static struct {
    unsigned x;
} threadIdx, blockIdx, blockDim, gridDim;
static jmp_buf barrier;
static int beyond;

static void __syncthreads(void)
{
    if (!beyond) longjmp(barrier, 1);
}

#include "io/normal.h"

#define ENTRY        static void
#define FUNCTION     static
#define NORMALS(...) __VA_ARGS__
#define __shared__   static
#define VECTORS(...) __VA_ARGS__
enum { BLOCK = LRNDE__CUDA_VECTOR_BLOCK, MOST_SUMS = LRNDE_MAX_SUMS, CHUNK = LRNDE_CHUNK };
#define lrnde_philox  OF_REAL(philox)
#define lrnde_normals OF_REAL(normals)
#define lrnde_add     OF_REAL(add)
#define lrnde_sums    OF_REAL(sums)
#define lrnde_squares OF_REAL(squares)
#define lrnde_combine OF_REAL(combine)
#define lrnde_copy    OF_REAL(copy)
#define lrnde_zero    OF_REAL(zero)
#define REAL          float
#define OF_REAL(name) name##_float
#include "normals.def"
#include "vectors.def"
#undef REAL
#undef OF_REAL
#define REAL          double
#define OF_REAL(name) name##_double
#include "normals.def"
#include "vectors.def"

/* ---- launches ---- */

enum { MOST_WORDS = 11 };

/* An argument of eight bytes, which all have but those of a run. */
typedef union word {
    void *p;
    int64_t n;
    double x;
} word;

typedef enum operation { MOVE, CLEAR, LAUNCH } operation;

typedef struct entry {
    operation operation;
    void *to;
    const void *from;
    size_t bytes;
    CUfunction function;
    unsigned grid, block;
    word words[MOST_WORDS];
    lrnde_args args;      /* of RUN; of a model's kernel, while it runs */
    lrnde_course *course; /* of RUN */
} entry;

/* Tables lie on the device and, but for cot_sums, hold its pointers: how long they are is the business of the kernel. */
static void check_tables(const entry *e)
{
    const lrnde_args *a = &e->args;
    const void *const tables[] = {a->data,      a->constants, a->carry,         a->next,    a->next_in, a->k,
                                  a->k_in,      a->noise,     a->external,      a->out,     a->in,      a->cot_next,
                                  a->cot_carry, a->cot_k,     a->cot_constants, a->cot_sums};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        MUST(!tables[i] || on_device(tables[i], sizeof(void *)), "%s: table %zu is on the host", e->function->name, i);
}

static void run_kernel(const entry *e)
{
    const lrnde_kernel *k = e->function->kernel;
    const lrnde_args *a = &e->args;
    check_tables(e);
    if (e->function->kind != SHARED) {
        MUST(e->grid == (unsigned)a->workers && e->block == TILE_THREADS, "%s: %u blocks of %u", e->function->name, e->grid,
             e->block);
        for (int64_t w = 0; w < a->workers; w++)
            k->tile(a, (int32_t)(a->tiles * w / a->workers), (int32_t)(a->tiles * (w + 1) / a->workers), (int32_t)w);
        return;
    }
    MUST(e->grid == (k->shared_size + LRNDE_CHUNK - 1) / LRNDE_CHUNK && e->block == OTHER_THREADS, "%s: %u blocks of %u",
         e->function->name, e->grid, e->block);
    for (int64_t c = 0; c < e->grid; c++) {
        int64_t end = (c + 1) * LRNDE_CHUNK;
        k->shared(a, c * LRNDE_CHUNK, end < k->shared_size ? end : k->shared_size);
    }
}

/* With each of its list, or with what it is given. */
static void run_list(const entry *e)
{
    entry one = *e;
    const char *list = e->words[0].p;
    const int64_t n = e->function->kind == TILE ? e->words[1].n : 1, stride = e->function->kind == TILE ? e->words[2].n : 0;
    MUST(n > 0 && on_device(list, (size_t)((n - 1) * stride) + sizeof one.args), "%s: not its list", e->function->name);
    for (int64_t i = 0; i < n; i++) {
        memcpy(&one.args, list + i * stride, sizeof one.args);
        run_kernel(&one);
    }
}

#include "courses.h"

/* A launch of a model's kernel by its text. */
static void run_text(const entry *e)
{
    void (*kernel)(void);
    void (*launch_tile)(void (*)(void), const void *, int64_t, int64_t, int, int);
    void (*launch_shared)(void (*)(void), const void *, int, int);
    void (*launch_run)(void (*)(void), const void *, lrnde_course *, int, int, int, int);
    const int blocks = (int)e->grid, threads = (int)e->block;
    find_in_text(e->function->name, &kernel);
    find_in_text("sim_launch_tile", &launch_tile);
    find_in_text("sim_launch_shared", &launch_shared);
    find_in_text("sim_launch_run", &launch_run);
    MUST(threads == threads_of(e->function), "%s: blocks of %d", e->function->name, threads);
    if (e->function->kind == TILE)
        launch_tile(kernel, e->words[0].p, e->words[1].n, e->words[2].n, blocks, threads);
    else if (e->function->kind == SHARED)
        launch_shared(kernel, e->words[0].p, blocks, threads);
    else
        launch_run(kernel, &e->args, e->course, blocks, threads, e->function->cluster ? (int)e->function->cluster : 1,
                   (int)e->function->shared_bytes);
}

static int has_barrier(const entry *e)
{
    return e->function->kind == SUMS || e->function->kind == SQUARES;
}

static void run_thread(const entry *e)
{
    const int is_float = e->function->is_float;
    const word *w = e->words;
    if (setjmp(barrier)) return;
    switch (e->function->kind) {
    case ADD:
        if (is_float)
            add_float(w[0].p, w[1].p, w[2].n, w[3].n, w[4].n);
        else
            add_double(w[0].p, w[1].p, w[2].n, w[3].n, w[4].n);
        break;
    case SUMS: (is_float ? sums_float : sums_double)(w[0].p, w[1].n, w[2].n, w[3].p); break;
    case SQUARES:
        if (is_float)
            squares_float(w[0].p, w[1].n, w[2].p);
        else
            squares_double(w[0].p, w[1].n, w[2].p);
        break;
    case COMBINE: (is_float ? combine_float : combine_double)(w[0].p, w[1].n, w[2].x, w[3].p, w[4].x, w[5].p, w[6].n); break;
    case COPY: (is_float ? copy_float : copy_double)(w[0].p, w[1].p, w[2].n); break;
    case ZERO: (is_float ? zero_float : zero_double)(w[0].p, w[1].n); break;
    case NORMALS:
        (is_float ? normals_float : normals_double)((uint64_t)w[0].n, w[1].n, w[2].n, w[3].n, w[4].n, w[5].n, w[6].n, w[7].n,
                                                    w[8].p, w[9].p, w[10].n);
        break;
    case TILE:
    case SHARED:
    case RUN: MUST(0, "%s: not the driver's own", e->function->name);
    }
    MUST(beyond || !has_barrier(e), "a thread did not come to the barrier");
}

static void run_vectors(const entry *e)
{
    blockDim.x = e->block;
    gridDim.x = e->grid;
    for (blockIdx.x = 0; blockIdx.x < e->grid; blockIdx.x++)
        for (beyond = 0; beyond <= has_barrier(e); beyond++)
            for (threadIdx.x = 0; threadIdx.x < e->block; threadIdx.x++) run_thread(e);
}

#endif
