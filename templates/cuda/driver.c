/*
 * driver.c - runs the kernels of templates/cuda on NVIDIA GPUs.
 *
 * A model carries them as text, which is compiled for the device, what a solve needs when it is opened (modules.h).
 * Everything is queued on one stream, in order; the host waits where it wants numbers: get, run, sync.  What it hands over,
 * arrays and argument tables, is first copied into a ring of pinned memory, so that it need not wait there.
 *
 * LAUNCH  Entry points, with <symbol> as in arguments.c and as many threads a block as the kernel's launch bound says:
 *           <symbol>_tile     a list of lrnde_args, which it takes one after another, how many and how far apart; a block for
 *                             each of a.workers, which runs tiles [a.tiles w / a.workers, a.tiles (w + 1) / a.workers)
 *           <symbol>_shared   lrnde_args; a block for each chunk of LRNDE_CHUNK elements
 *         Arguments, their tables and cot_sums are on the device.  Launches are put off (queue.c), so are sums (sums.c).
 *
 * The first failure is kept, and after it memory is given back but nothing else is done: a context does not recover.
 */
#include "device.h"

#include "vectors.h"

#include "io/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_WORKERS = 4096, /* the same on every device, for the order in which batch sums are added is that of the workers */
    MOST_BLOCKS = 1024,  /* of what works on elements one by one */
    SQUARE_ROWS = 1024,
    WORD = 4 /* bytes, of which every array has a multiple */
};

const lrnde_driver lrnde_driver_cuda;

/* ---- calls ---- */

int lrnde__cuda_check(lrnde_device *d, CUresult error, const char *function)
{
    if (error) lrnde__cuda_explain(d->cu, error, function, d->failure, sizeof d->failure);
    return error;
}

static CUdeviceptr address(const void *p)
{
    return (CUdeviceptr)(uintptr_t)p;
}

/* ---- life ---- */

static int find_device(lrnde_device *d, int32_t ordinal)
{
    int count = 0, major = 0, minor = 0;
    if (!(d->cu = lrnde__cuda_load(d->failure, sizeof d->failure))) return -1;
    CALL(d, cuDeviceGetCount, &count);
    if (!*d->failure && ordinal >= count)
        snprintf(d->failure, sizeof d->failure, "there is no device %d, there are %d", (int)ordinal, count);
    CALL(d, cuDeviceGet, &d->device, ordinal);
    CALL(d, cuDeviceGetAttribute, &major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, d->device);
    CALL(d, cuDeviceGetAttribute, &minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, d->device);
    CALL(d, cuDeviceGetAttribute, &d->multiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, d->device);
    CALL(d, cuDeviceGetAttribute, &d->cooperative, CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH, d->device);
    d->capability = 10 * major + minor;
    return CALL(d, cuDevicePrimaryCtxRetain, &d->context, d->device);
}

static int make_room(lrnde_device *d)
{
    lrnde__cuda_graphs_open(&d->graphs, d->cu);
    lrnde__cuda_enter(d);
    CALL(d, cuStreamCreate, &d->stream, CU_STREAM_NON_BLOCKING);
    CALL(d, cuMemHostAlloc, (void **)&d->ring, LRNDE__CUDA_RING, 0);
    CALL(d, cuMemAlloc, &d->ring_copy, LRNDE__CUDA_RING);
    CALL(d, cuMemAlloc, &d->square_sums, SQUARE_ROWS * sizeof(double));
    CALL(d, cuMemHostAlloc, (void **)&d->totals, LRNDE__CUDA_PENDING * LRNDE_MAX_SUMS * sizeof *d->totals,
         CU_MEMHOSTALLOC_DEVICEMAP);
    return CALL(d, cuMemHostGetDevicePointer, &d->totals_there, d->totals, 0);
}

static int load_model(lrnde_device *d, const lrnde_model_desc *desc)
{
    const lrnde_text *text = lrnde_text_for(desc, &lrnde_driver_cuda);
    if (!text) snprintf(d->failure, sizeof d->failure, "%s was generated without kernels for cuda", desc->name);
    return *d->failure ? -1
                       : lrnde__cuda_modules_open(&d->model, d->cu, desc, text, d->capability, d->failure, sizeof d->failure);
}

/* Closing goes on after a failure: the context may still be good for others. */
static void cuda_close(lrnde_device *d)
{
    const lrnde__cuda_api *cu = d->cu;
    if (cu && d->context) {
        cu->cuCtxSetCurrent(d->context);
        lrnde__cuda_graphs_drop(&d->graphs);
        lrnde__cuda_modules_close(&d->model);
        if (d->totals) cu->cuMemFreeHost(d->totals);
        if (d->step_sums) cu->cuMemFree(d->step_sums);
        if (d->square_sums) cu->cuMemFree(d->square_sums);
        if (d->ring_copy) cu->cuMemFree(d->ring_copy);
        if (d->ring) cu->cuMemFreeHost(d->ring);
        if (d->stream) cu->cuStreamDestroy(d->stream);
        cu->cuDevicePrimaryCtxRelease(d->device);
    }
    free(d);
}

static lrnde_device *cuda_open(const lrnde_model_desc *desc, int32_t ordinal, int32_t threads, char *why, size_t size)
{
    (void)threads; /* of the host: one is enough to queue */
    lrnde_device *d = calloc(1, sizeof *d);
    if (!d) {
        snprintf(why, size, "out of memory");
        return NULL;
    }
    d->real_bytes = (size_t)desc->real_bytes;
    if (!find_device(d, ordinal) && !make_room(d) && !load_model(d, desc)) lrnde__cuda_run_begin(d);
    if (!*d->failure) return d;
    snprintf(why, size, "%s", d->failure);
    cuda_close(d);
    return NULL;
}

static const char *cuda_note(const lrnde_device *d)
{
    return d->note;
}

static int32_t cuda_threads(const lrnde_device *d)
{
    return d->multiprocessors;
}

static int32_t cuda_workers(const lrnde_device *d, int32_t tiles)
{
    (void)d;
    return tiles < MOST_WORKERS ? tiles : MOST_WORKERS;
}

/* ---- memory ---- */

static void *cuda_alloc(lrnde_device *d, size_t bytes)
{
    CUdeviceptr p = 0;
    if (lrnde__cuda_enter(d)) return NULL;
    CUresult error = d->cu->cuMemAlloc(&p, bytes);
    if (error == CUDA_ERROR_OUT_OF_MEMORY && lrnde__cuda_graphs_drop(&d->graphs) && !lrnde__cuda_wait(d))
        error = d->cu->cuMemAlloc(&p, bytes);
    if (error == CUDA_ERROR_OUT_OF_MEMORY) return NULL; /* which is no failure */
    if (lrnde__cuda_check(d, error, "cuMemAlloc")) return NULL;
    if (!CALL(d, cuMemsetD8Async, p, 0, bytes, d->stream)) return (void *)(uintptr_t)p;
    d->cu->cuMemFree(p);
    return NULL;
}

static void cuda_free(lrnde_device *d, void *p)
{
    lrnde__cuda_enter(d);
    lrnde__cuda_wait(d);
    CUresult error = d->cu->cuMemFree(address(p));
    d->refused = 0;
    if (!*d->failure) lrnde__cuda_check(d, error, "cuMemFree");
}

static void cuda_put(lrnde_device *d, void *to, const void *from, size_t bytes)
{
    lrnde__cuda_enter(d);
    for (size_t done = 0; done < bytes; done += LRNDE__CUDA_PIECE) {
        size_t n = bytes - done < LRNDE__CUDA_PIECE ? bytes - done : LRNDE__CUDA_PIECE, at = lrnde__cuda_take(d, n);
        memcpy(d->ring + at, (const char *)from + done, n);
        CALL(d, cuMemcpyHtoDAsync, address(to) + done, d->ring + at, n, d->stream);
    }
}

static void cuda_get(lrnde_device *d, void *to, const void *from, size_t bytes)
{
    lrnde__cuda_enter(d);
    for (size_t done = 0; done < bytes; done += LRNDE__CUDA_PIECE) {
        size_t n = bytes - done < LRNDE__CUDA_PIECE ? bytes - done : LRNDE__CUDA_PIECE, at = lrnde__cuda_take(d, n);
        CALL(d, cuMemcpyDtoHAsync, d->ring + at, address(from) + done, n, d->stream);
        if (lrnde__cuda_wait(d))
            memset((char *)to + done, 0xff, n); /* NaN */
        else
            memcpy((char *)to + done, d->ring + at, n);
    }
}

/* ---- kernels ---- */

static int64_t quotient_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Blocks of a kernel with a thread an element. */
static int64_t blocks_of(int64_t n)
{
    const int64_t blocks = quotient_up(n, LRNDE__CUDA_VECTOR_BLOCK);
    return blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS;
}

static void cuda_copy(lrnde_device *d, void *to, const void *from, size_t bytes)
{
    const int64_t n = (int64_t)(bytes / WORD);
    lrnde__cuda_come_in(d);
    LRNDE__CUDA_PUT_OFF(d, &d->model.copy, blocks_of(n), {.p = to}, {.p = from}, {.n = n});
}

static void put_off_zero(lrnde_device *d, void *p, size_t bytes)
{
    const int64_t n = (int64_t)(bytes / WORD);
    LRNDE__CUDA_PUT_OFF(d, &d->model.zero, blocks_of(n), {.p = p}, {.n = n});
}

static void cuda_zero(lrnde_device *d, void *p, size_t bytes)
{
    lrnde__cuda_come_in(d);
    put_off_zero(d, p, bytes);
}

static void cuda_add(lrnde_device *d, void *to, const void *from, int32_t rows, size_t stride, int64_t n)
{
    lrnde__cuda_come_in(d);
    LRNDE__CUDA_PUT_OFF(d, &d->model.add, blocks_of(n), {.p = to}, {.p = from}, {.n = rows}, {.n = (int64_t)stride}, {.n = n});
}

static void cuda_normals(lrnde_device *d, const lrnde_draw *draw, int32_t n, const double *scale, void *const *to, int rounded)
{
    const size_t scales = (size_t)n * sizeof *scale, arrays = 2 * (size_t)n * sizeof *to;
    const int64_t entries = (int64_t)draw->tiles * draw->size * draw->tile;
    CUdeviceptr there;
    lrnde__cuda_come_in(d);
    char *here = lrnde__cuda_take_arguments(d, scales + arrays, &there);
    memcpy(here, scale, scales);
    memcpy(here + scales, to, arrays);
    LRNDE__CUDA_PUT_OFF(d, &d->model.normals, blocks_of(entries * n), {.u = draw->key}, {.n = draw->draw},
                        {.n = LRNDE__STREAM_NOISE}, {.n = draw->batch}, {.n = draw->tile}, {.n = draw->size}, {.n = entries},
                        {.n = n}, {.there = there}, {.there = there + scales}, {.n = rounded});
}

static void cuda_combine(lrnde_device *d, void *to, int rounded, double a, const double *x, double b, const double *y, int64_t n)
{
    lrnde__cuda_come_in(d);
    LRNDE__CUDA_PUT_OFF(d, &d->model.combine, blocks_of(n), {.p = to}, {.n = rounded}, {.x = a}, {.p = x}, {.x = b}, {.p = y},
                        {.n = n});
}

const lrnde__cuda_kernel *lrnde__cuda_find(const lrnde_device *d, const lrnde_kernel *kernel)
{
    const lrnde__cuda_kernel *k = d->model.kernels;
    while (k->kernel != kernel) k++;
    return k;
}

static void cuda_squares(lrnde_device *d, const void *x, int64_t n, double *total)
{
    const int64_t most = quotient_up(n, LRNDE_CHUNK), rows = most < SQUARE_ROWS ? most : SQUARE_ROWS;
    lrnde__cuda_come_in(d);
    lrnde__cuda_begin_sums(d, (double *)(uintptr_t)d->square_sums, rows, 1, 0);
    LRNDE__CUDA_PUT_OFF(d, &d->model.squares, rows, {.p = x}, {.n = n}, {.p = lrnde__cuda_next_sums(d, total)});
}

static void cuda_launch(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *args, double *total)
{
    if (!kernel->tile && !kernel->shared) return;
    lrnde__cuda_come_in(d);
    if (kernel->shared && kernel->partial)
        put_off_zero(d, args->partial, (size_t)args->workers * args->partial_stride * d->real_bytes);
    lrnde__cuda_put_off_kernel(d, lrnde__cuda_find(d, kernel), args, total);
}

static const char *cuda_sync(lrnde_device *d)
{
    lrnde__cuda_enter(d);
    lrnde__cuda_wait(d);
    return *d->failure ? d->failure : NULL;
}

const lrnde_driver lrnde_driver_cuda = {
    .name = "cuda",
    .preference = 1,
    .remote = 1,
    .open = cuda_open,
    .close = cuda_close,
    .note = cuda_note,
    .threads = cuda_threads,
    .workers = cuda_workers,
    .alloc = cuda_alloc,
    .free = cuda_free,
    .put = cuda_put,
    .get = cuda_get,
    .copy = cuda_copy,
    .zero = cuda_zero,
    .add = cuda_add,
    .squares = cuda_squares,
    .normals = cuda_normals,
    .combine = cuda_combine,
    .launch = cuda_launch,
    .run = lrnde__cuda_run,
    .sync = cuda_sync,
};
