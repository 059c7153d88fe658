/*
 * libcuda.c - stands in for NVIDIA's driver library: device memory that the host cannot touch, a stream that does nothing
 * until it is waited for, and launches that run a model's C kernels.
 *
 * Whatever a real device would not forgive ends the process with a line: memory that is not the device's, host memory that
 * is not pinned, a launch of the wrong shape, a kernel of another module; with FAKE_GUARDS=1 whatever lies outside of arrays.
 * The environment makes faults:
 *   FAKE_VERSION  what the driver supports           FAKE_DEVICES  how many there are (none: cuInit says so)
 *   FAKE_MEMORY   bytes of the device                FAKE_LAUNCH   error of every launch of a model's kernel
 *   FAKE_LOST     waits after which the device is lost   FAKE_RESIDENT  blocks of a cooperative launch a multiprocessor takes
 *   FAKE_CLUSTERS how many are resident at once          FAKE_CAPABILITY  90 for 9.0
 *   FAKE_REFUSED  error of every launch of clusters       FAKE_NO_GRAPH  error of making a graph executable
 *   FAKE_NO_UPDATE  error of changing a graph            FAKE_GRAPH_LAUNCH  error of launching one
 *   FAKE_GRAPH_BYTES  what an executable graph takes of the device
 *   FAKE_SHARED   bytes a block may ask for              FAKE_COMPILED  the architecture that the compiler knew, as capability
 */
#include "kernels.h"

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

/* ---- devices, each with 132 multiprocessors ---- */

enum { MULTIPROCESSORS = 132 };

static int contexts; /* retained */

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
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *value = MULTIPROCESSORS; return 0;
    case CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH: *value = 1; return 0;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *value = (int)setting("FAKE_CAPABILITY", 90) / 10; return 0;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *value = (int)setting("FAKE_CAPABILITY", 90) % 10; return 0;
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

/* ---- the stream ---- */

enum { MOST_ENTRIES = 1 << 16 };
static entry *stream;
static int n_entries, waits, launches, kernels_run;
static size_t crossed; /* bytes between host and device */

/* Does the device fail on purpose?  Then what is queued may stay. */
static int fails(void)
{
    return setting("FAKE_LOST", 0) || setting("FAKE_LAUNCH", 0) || setting("FAKE_GRAPH_LAUNCH", 0);
}

static CUresult queue(entry e)
{
    MUST(current, "no context is current");
    MUST(n_entries < MOST_ENTRIES, "the stream is full");
    stream[n_entries++] = e;
    kernels_run += e.operation == LAUNCH;
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
    MUST(n_entries == 0 || fails(), "the stream has not been waited for");
    return 0;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream s)
{
    (void)s;
    pinned(from, bytes);
    crossed += bytes;
    return queue((entry){.operation = MOVE, .to = there(to, bytes), .from = from, .bytes = bytes});
}

CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream s)
{
    (void)s;
    pinned(to, bytes);
    crossed += bytes;
    return queue((entry){.operation = MOVE, .to = to, .from = there(from, bytes), .bytes = bytes});
}

CUresult cuMemsetD8Async(CUdeviceptr memory, unsigned char byte, size_t bytes, CUstream s)
{
    (void)s;
    MUST(byte == 0, "memory is set to something");
    return queue((entry){.operation = CLEAR, .to = there(memory, bytes), .bytes = bytes});
}

CUresult cuMemFree_v2(CUdeviceptr memory)
{
    MUST(n_entries == 0 || fails(), "memory is freed while the stream may use it");
    drop((void *)(uintptr_t)memory, 1);
    return 0;
}

/* A launch with arguments of eight bytes, as the function has them; 0: it is one. */
static CUresult launch(entry *e, CUfunction f, unsigned grid, unsigned block, void **arguments)
{
    static const int words[] = {
        [TILE] = 3, [SHARED] = 1, [ADD] = 5, [SUMS] = 4, [SQUARES] = 3, [COMBINE] = 7, [COPY] = 3, [ZERO] = 2, [NORMALS] = 11};
    MUST(f->kind != RUN, "%s: launched without its blocks being resident", f->name);
    if (!is_own(f) && setting("FAKE_LAUNCH", 0)) return (CUresult)setting("FAKE_LAUNCH", 0);
    *e = (entry){.operation = LAUNCH, .function = f, .grid = grid, .block = block};
    for (int i = 0; i < words[f->kind]; i++) memcpy(&e->words[i], arguments[i], sizeof *e->words);
    return 0;
}

#ifndef LACKS_LAUNCH
CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                        unsigned shared, CUstream s, void **arguments, void **extra)
{
    entry e;
    (void)s;
    MUST(gy == 1 && gz == 1 && by == 1 && bz == 1 && shared == 0 && !extra && gx > 0, "%s: launched in another shape", f->name);
    const CUresult error = launch(&e, f, gx, bx, arguments);
    launches += !error;
    return error ? error : queue(e);
}
#endif

CUresult cuLaunchCooperativeKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                                   unsigned shared, CUstream s, void **arguments)
{
    entry e = {.operation = LAUNCH, .function = f, .grid = gx, .block = bx};
    (void)s;
    MUST(f->kind == RUN && gy == 1 && gz == 1 && by == 1 && bz == 1 && shared == 0 && gx > 0, "%s: launched in another shape",
         f->name);
    MUST(gx <= MULTIPROCESSORS * (unsigned)setting("FAKE_RESIDENT", 1), "%s: %u blocks do not fit", f->name, gx);
    if (setting("FAKE_LAUNCH", 0)) return (CUresult)setting("FAKE_LAUNCH", 0);
    e.args = *(lrnde_args *)arguments[0];
    e.course = there(*(CUdeviceptr *)arguments[1], sizeof *e.course);
    launches++;
    return queue(e);
}

CUresult cuLaunchKernelEx(const CUlaunchConfig *shape, CUfunction f, void **arguments, void **extra)
{
    entry e = {.operation = LAUNCH, .function = f, .grid = shape->gridDimX, .block = shape->blockDimX};
    check_shape(f, shape);
    MUST(shape->numAttrs == 2 && shape->attrs[1].id == CU_LAUNCH_ATTRIBUTE_COOPERATIVE && shape->attrs[1].value.cooperative == 1,
         "%s: launched without its blocks being resident", f->name);
    MUST(!extra && shape->hStream == (CUstream)stream, "%s: launched elsewhere", f->name);
    MUST(e.grid / f->cluster <= (unsigned)setting("FAKE_CLUSTERS", 33), "%s: %u blocks do not fit", f->name, e.grid);
    if (setting("FAKE_REFUSED", 0)) return (CUresult)setting("FAKE_REFUSED", 0);
    if (setting("FAKE_LAUNCH", 0)) return (CUresult)setting("FAKE_LAUNCH", 0);
    e.args = *(lrnde_args *)arguments[0];
    e.course = there(*(CUdeviceptr *)arguments[1], sizeof *e.course);
    launches++;
    return queue(e);
}

#ifndef LACKS_GRAPHS
#include "graphs.h"
#else
enum { graphs = 0 };
#endif

static void run(const entry *e)
{
    switch (e->operation) {
    case MOVE: memmove(e->to, e->from, e->bytes); break;
    case CLEAR: memset(e->to, 0, e->bytes); break;
    case LAUNCH:
        if (is_own(e->function))
            run_vectors(e);
        else if (library)
            run_text(e);
        else if (e->function->kind == RUN)
            run_course(e);
        else
            run_list(e);
    }
}

CUresult cuStreamSynchronize(CUstream s)
{
    (void)s;
    long lost = setting("FAKE_LOST", 0);
    if (++waits >= lost && lost) return 46;
    protect_all(PROT_READ | PROT_WRITE);
    for (int i = 0; i < n_entries; i++) run(&stream[i]);
    n_entries = 0;
    protect_all(PROT_NONE);
    return 0;
}

/* How often the stream has been waited for. */
int fake_waits(void)
{
    return waits;
}

/* How many launches were queued, one of a graph being one. */
int fake_launches(void)
{
    return launches;
}

/* How many kernels these run. */
int fake_kernels(void)
{
    return kernels_run;
}

/* How many bytes were copied between host and device. */
size_t fake_crossed(void)
{
    return crossed;
}

/* What a driver that has closed all its devices leaves behind: 0 if nothing. */
int fake_leaks(void)
{
    return n_blocks + contexts + graphs;
}
