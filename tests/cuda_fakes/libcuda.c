/*
 * libcuda.c - stands in for NVIDIA's driver library: device memory that the host cannot touch, a stream that does nothing
 * until it is waited for, and launches that run a model's C kernels.
 *
 * Whatever a real device would not forgive ends the process with a line: memory that is not the device's, host memory that
 * is not pinned, a launch of the wrong shape, a kernel of another module.  The environment makes faults:
 *   FAKE_VERSION  what the driver supports           FAKE_DEVICES  how many there are (none: cuInit says so)
 *   FAKE_MEMORY   bytes of the device                FAKE_LAUNCH   error of every launch of a model's kernel
 *   FAKE_LOST     waits after which the device is lost
 */
#include "api.h"
#include "kernel.h"
#include "vectors.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MUST(condition, ...)                                                                                                     \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            fprintf(stderr, "fake libcuda: " __VA_ARGS__);                                                                       \
            fputc('\n', stderr);                                                                                                 \
            _Exit(9);                                                                                                            \
        }                                                                                                                        \
    } while (0)

static long setting(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

/* ---- errors ---- */

static const struct {
    int number;
    const char *name, *meaning;
} ERRORS[] = {
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {46, "CUDA_ERROR_DEVICE_UNAVAILABLE", "CUDA-capable device(s) is/are busy or unavailable"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {500, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
};

CUresult cuGetErrorName(CUresult error, const char **text)
{
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
        if (ERRORS[i].number == error) *text = ERRORS[i].name;
    return 0;
}

CUresult cuGetErrorString(CUresult error, const char **text)
{
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
        if (ERRORS[i].number == error) *text = ERRORS[i].meaning;
    return 0;
}

/* ---- devices, each with compute capability 9.0 and 132 multiprocessors ---- */

static int contexts; /* retained */
static _Thread_local CUcontext current;

CUresult cuDriverGetVersion(int *version)
{
    *version = (int)setting("FAKE_VERSION", 13000);
    return 0;
}

CUresult cuInit(unsigned flags)
{
    (void)flags;
    return setting("FAKE_DEVICES", 1) ? 0 : 100;
}

CUresult cuDeviceGetCount(int *count)
{
    *count = (int)setting("FAKE_DEVICES", 1);
    return 0;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
    *device = ordinal;
    return 0;
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device)
{
    (void)device;
    switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = 132; return 0;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = 9; return 0;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = 0; return 0;
    }
    return 1;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device)
{
    *context = (CUcontext)(uintptr_t)(1000 + device);
    contexts++;
    return 0;
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device)
{
    (void)device;
    contexts--;
    return 0;
}

CUresult cuCtxSetCurrent(CUcontext context)
{
    current = context;
    return 0;
}

/* ---- memory ---- */

enum { ARENA = 1 << 28, MOST_BLOCKS = 4096, PAGE = 4096 };

typedef struct block {
    char *at;
    size_t bytes;
    int on_device;
} block;

static char *arena; /* closed to the host but while the stream runs */
static size_t reserved, held;
static block blocks[MOST_BLOCKS];
static int n_blocks;

static const block *block_of(const void *p, size_t bytes)
{
    for (int i = 0; i < n_blocks; i++)
        if (blocks[i].at && (const char *)p >= blocks[i].at && (const char *)p + bytes <= blocks[i].at + blocks[i].bytes)
            return &blocks[i];
    return NULL;
}

static int on_device(const void *p, size_t bytes)
{
    const block *b = block_of(p, bytes);
    return b && b->on_device;
}

static void *there(CUdeviceptr p, size_t bytes)
{
    void *at = (void *)(uintptr_t)p;
    MUST(on_device(at, bytes), "%p, %zu bytes, is not memory of the device", at, bytes);
    return at;
}

static void hold(char *at, size_t bytes, int on_device)
{
    MUST(n_blocks < MOST_BLOCKS, "too many allocations");
    blocks[n_blocks++] = (block){at, bytes, on_device};
}

static void drop(const void *at, int on_device)
{
    int i = 0;
    while (i < n_blocks && !(blocks[i].at == at && blocks[i].on_device == on_device)) i++;
    MUST(i < n_blocks, "%p is freed but was not allocated", at);
    if (on_device) held -= blocks[i].bytes;
    blocks[i] = blocks[--n_blocks];
}

CUresult cuMemAlloc_v2(CUdeviceptr *memory, size_t bytes)
{
    MUST(current, "no context is current");
    if (!arena) arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (held + bytes > (size_t)setting("FAKE_MEMORY", ARENA)) return CUDA_ERROR_OUT_OF_MEMORY;
    MUST(reserved + bytes + PAGE <= ARENA, "the arena is used up");
    char *at = arena + reserved;
    reserved += (bytes + 2 * PAGE - 1) / PAGE * PAGE; /* nothing is used twice, and there is space between */
    held += bytes;
    hold(at, bytes, 1);
    mprotect(at, bytes, PROT_READ | PROT_WRITE);
    memset(at, 0xff, bytes);
    mprotect(at, bytes, PROT_NONE);
    *memory = (CUdeviceptr)(uintptr_t)at;
    return 0;
}

CUresult cuMemHostAlloc(void **memory, size_t bytes, unsigned flags)
{
    (void)flags;
    MUST(current, "no context is current");
    *memory = malloc(bytes);
    hold(*memory, bytes, 0);
    return 0;
}

CUresult cuMemFreeHost(void *memory)
{
    drop(memory, 0);
    free(memory);
    return 0;
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *memory, void *host, unsigned flags)
{
    (void)flags;
    *memory = (CUdeviceptr)(uintptr_t)host;
    return 0;
}

/* ---- modules: what the fake compiler made is the text ---- */

struct CUmod_st {
    char *text;
};

typedef enum kind { TILE, SHARED, ADD, SUMS } kind;

struct CUfunc_st {
    char name[192];
    kind kind;
    int is_float;
    const lrnde_kernel *kernel;
};

enum { MOST_KERNELS = 256, MOST_FUNCTIONS = 512 };

static struct {
    char symbol[160];
    const lrnde_kernel *kernel;
} kernels[MOST_KERNELS];
static int n_kernels;
static struct CUfunc_st functions[MOST_FUNCTIONS];
static int n_functions;

/* The test says what runs in the place of a kernel. */
void fake_kernel(const char *symbol, const lrnde_kernel *kernel)
{
    MUST(n_kernels < MOST_KERNELS, "too many kernels");
    snprintf(kernels[n_kernels].symbol, sizeof kernels->symbol, "%s", symbol);
    kernels[n_kernels++].kernel = kernel;
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

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name)
{
    struct CUfunc_st f = {.is_float = strstr(module->text, "typedef float REAL") != NULL};
    if (!strstr(module->text, name)) return 500;
    snprintf(f.name, sizeof f.name, "%s", name);
    if (!strcmp(name, "lrnde_add"))
        f.kind = ADD;
    else if (!strcmp(name, "lrnde_sums"))
        f.kind = SUMS;
    else if ((f.kernel = kernel_of(name, "_tile")))
        f.kind = TILE;
    else if ((f.kernel = kernel_of(name, "_shared")))
        f.kind = SHARED;
    else
        return 500;
    MUST(n_functions < MOST_FUNCTIONS, "too many functions");
    functions[n_functions] = f;
    *function = &functions[n_functions++];
    return 0;
}

/* Launch bounds: of a tile phase, of the others. */
enum { TILE_THREADS = 32, OTHER_THREADS = 256 };

CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function)
{
    MUST(attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, "a function is asked for attribute %d", attribute);
    *value = function->kind == TILE ? TILE_THREADS : OTHER_THREADS;
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

#define ENTRY        static void
#define __shared__   static
#define VECTORS(...) __VA_ARGS__
enum { BLOCK = LRNDE__CUDA_VECTOR_BLOCK, MOST_SUMS = LRNDE_MAX_SUMS };
#define REAL       float
#define lrnde_add  add_float
#define lrnde_sums sums_float
#include "vectors.def"
#undef REAL
#undef lrnde_add
#undef lrnde_sums
#define REAL       double
#define lrnde_add  add_double
#define lrnde_sums sums_double
#include "vectors.def"
#undef lrnde_add
#undef lrnde_sums

/* ---- the stream ---- */

typedef enum operation { COPY, CLEAR, LAUNCH } operation;

typedef struct entry {
    operation operation;
    void *to;
    const void *from;
    size_t bytes;
    CUfunction function;
    unsigned grid, block;
    lrnde_args args; /* of a model's kernel */
    struct {
        void *to;
        const void *from;
        int rows;
        size_t stride;
        long long n;
    } add;
    struct {
        const double *sums;
        long long rows;
        int n;
        double *total;
    } sums;
} entry;

enum { MOST_ENTRIES = 1 << 16 };
static entry *stream;
static int n_entries, waits;

static CUresult queue(entry e)
{
    MUST(current, "no context is current");
    MUST(n_entries < MOST_ENTRIES, "the stream is full");
    stream[n_entries++] = e;
    return 0;
}

CUresult cuStreamCreate(CUstream *created, unsigned flags)
{
    MUST(flags == CU_STREAM_NON_BLOCKING, "the stream waits for others");
    if (!stream) stream = malloc(MOST_ENTRIES * sizeof *stream);
    *created = (CUstream)stream;
    return 0;
}

CUresult cuStreamDestroy_v2(CUstream destroyed)
{
    (void)destroyed;
    MUST(n_entries == 0 || setting("FAKE_LOST", 0) || setting("FAKE_LAUNCH", 0), "the stream has not been waited for");
    return 0;
}

static void pinned(const void *p, size_t bytes)
{
    const block *b = block_of(p, bytes);
    MUST(b && !b->on_device, "%p, %zu bytes, is not pinned memory", p, bytes);
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream s)
{
    (void)s;
    pinned(from, bytes);
    return queue((entry){.operation = COPY, .to = there(to, bytes), .from = from, .bytes = bytes});
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream s)
{
    (void)s;
    pinned(to, bytes);
    return queue((entry){.operation = COPY, .to = to, .from = there(from, bytes), .bytes = bytes});
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream s)
{
    (void)s;
    return queue((entry){.operation = COPY, .to = there(to, bytes), .from = there(from, bytes), .bytes = bytes});
}

CUresult cuMemsetD8Async(CUdeviceptr memory, unsigned char byte, size_t bytes, CUstream s)
{
    (void)s;
    MUST(byte == 0, "memory is set to something");
    return queue((entry){.operation = CLEAR, .to = there(memory, bytes), .bytes = bytes});
}

CUresult cuMemFree_v2(CUdeviceptr memory)
{
    MUST(n_entries == 0 || setting("FAKE_LOST", 0) || setting("FAKE_LAUNCH", 0), "memory is freed while the stream may use it");
    drop((void *)(uintptr_t)memory, 1);
    return 0;
}

#ifndef LACKS_LAUNCH
CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, CUstream s, void **arguments, void **extra)
{
    entry e = {.operation = LAUNCH, .function = f, .grid = gx, .block = bx};
    (void)s;
    MUST(gy == 1 && gz == 1 && by == 1 && bz == 1 && shared == 0 && !extra && gx > 0, "%s: launched in another shape", f->name);
    switch (f->kind) {
    case TILE:
    case SHARED:
        if (setting("FAKE_LAUNCH", 0)) return (CUresult)setting("FAKE_LAUNCH", 0);
        e.args = *(lrnde_args *)arguments[0];
        break;
    case ADD:
        e.add.to = *(void **)arguments[0], e.add.from = *(void **)arguments[1], e.add.rows = *(int *)arguments[2];
        e.add.stride = *(size_t *)arguments[3], e.add.n = *(long long *)arguments[4];
        break;
    case SUMS:
        e.sums.sums = *(double **)arguments[0], e.sums.rows = *(long long *)arguments[1], e.sums.n = *(int *)arguments[2];
        e.sums.total = *(double **)arguments[3];
        break;
    }
    return queue(e);
}
#endif

/* Tables lie on the device and, but for cot_sums, hold its pointers: how long they are is the business of the kernel. */
static void check_tables(const entry *e)
{
    const lrnde_args *a = &e->args;
    const void *const tables[] = {a->data,     a->constants, a->carry,    a->next,          a->next_in,
                                  a->k,        a->k_in,      a->external, a->out,           a->in,
                                  a->cot_next, a->cot_carry, a->cot_k,    a->cot_constants, a->cot_sums};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        MUST(!tables[i] || on_device(tables[i], sizeof(void *)), "%s: table %zu is on the host", e->function->name, i);
}

static void run_kernel(const entry *e)
{
    const lrnde_kernel *k = e->function->kernel;
    const lrnde_args *a = &e->args;
    check_tables(e);
    if (e->function->kind == TILE) {
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

static void run_thread(const entry *e)
{
    int is_float = e->function->is_float;
    if (setjmp(barrier)) return;
    if (e->function->kind == SUMS) {
        (is_float ? sums_float : sums_double)(e->sums.sums, e->sums.rows, e->sums.n, e->sums.total);
        MUST(beyond, "a thread did not come to the barrier");
    } else if (is_float) {
        add_float(e->add.to, e->add.from, e->add.rows, e->add.stride, e->add.n);
    } else {
        add_double(e->add.to, e->add.from, e->add.rows, e->add.stride, e->add.n);
    }
}

static void run_vectors(const entry *e)
{
    blockDim.x = e->block;
    gridDim.x = e->grid;
    for (blockIdx.x = 0; blockIdx.x < e->grid; blockIdx.x++)
        for (beyond = 0; beyond <= (e->function->kind == SUMS); beyond++)
            for (threadIdx.x = 0; threadIdx.x < e->block; threadIdx.x++) run_thread(e);
}

static void run(const entry *e)
{
    switch (e->operation) {
    case COPY: memmove(e->to, e->from, e->bytes); break;
    case CLEAR: memset(e->to, 0, e->bytes); break;
    case LAUNCH:
        if (e->function->kind == TILE || e->function->kind == SHARED)
            run_kernel(e);
        else
            run_vectors(e);
    }
}

CUresult cuStreamSynchronize(CUstream s)
{
    (void)s;
    long lost = setting("FAKE_LOST", 0);
    if (lost && ++waits >= lost) return 46;
    if (arena) mprotect(arena, ARENA, PROT_READ | PROT_WRITE);
    for (int i = 0; i < n_entries; i++) run(&stream[i]);
    n_entries = 0;
    if (arena) mprotect(arena, ARENA, PROT_NONE);
    return 0;
}

/* What a driver that has closed all its devices leaves behind: 0 if nothing. */
int fake_leaks(void)
{
    return n_blocks + contexts;
}
