/*
 * driver.c - runs the kernels of templates/cuda on NVIDIA GPUs.
 *
 * A model carries them as text, which is compiled for the device, what a solve needs when it is opened (modules.h).
 * Everything is queued on one stream, in order; the host waits where it wants numbers: get, run, sync.  What it hands over,
 * arrays and argument tables, is first copied into a ring of pinned memory, so that it need not wait there.
 *
 * LAUNCH  Entry points take lrnde_args by value; what its tables and cot_sums point to is on the device.
 *           <symbol>_tile     a block for each of a.workers, which runs tiles [a.tiles w / a.workers, a.tiles (w + 1) / a.workers)
 *           <symbol>_shared   a block for each chunk of LRNDE_CHUNK elements
 *           <symbol>_chain    as _tile, but takes a list of lrnde_args on the device, how many and how far apart
 *         with <symbol> as in arguments.c and as many threads a block as the kernel's launch bound says.  Sums are added up
 *         afterwards.  Those of a chain are put off: chain.c.
 *
 * The first failure is kept, and after it memory is given back but nothing else is done: a context does not recover.
 */
#include "device.h"

#include "vectors.h"

#include "io/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_WORKERS = 4096, /* the same on every device, for the order in which batch sums are added is that of the workers */
    MOST_BLOCKS = 1024,  /* of what works on elements one by one */
    SQUARE_ROWS = 1024
};

const lrnde_driver lrnde_driver_cuda;

/* ---- calls ---- */

int lrnde__cuda_check(lrnde_device *d, CUresult error, const char *function)
{
    if (error) lrnde__cuda_explain(d->cu, error, function, d->failure, sizeof d->failure);
    return error;
}

/* A solver may move between threads, and each has a current context of its own. */
static int come_in(lrnde_device *d)
{
    return CALL(d, cuCtxSetCurrent, d->context);
}

int lrnde__cuda_enter(lrnde_device *d)
{
    int failed = come_in(d);
    lrnde__cuda_end_chain(d);
    return failed;
}

static CUdeviceptr address(const void *p)
{
    return (CUdeviceptr)(uintptr_t)p;
}

int lrnde__cuda_wait(lrnde_device *d)
{
    d->used = 0;
    int failed = CALL(d, cuStreamSynchronize, d->stream);
    for (int row = 0; row < d->n_pending; row++)
        for (int i = 0; i < d->pending[row].n; i++) d->pending[row].total[i] = failed ? NAN : d->totals[row * LRNDE_MAX_SUMS + i];
    d->n_pending = 0;
    return failed;
}

size_t lrnde__cuda_take(lrnde_device *d, size_t size)
{
    if (d->used + size > LRNDE__CUDA_RING) lrnde__cuda_wait(d);
    size_t at = d->used;
    d->used += (size + LRNDE__CUDA_ALIGN - 1) / LRNDE__CUDA_ALIGN * LRNDE__CUDA_ALIGN;
    return at;
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
    if (error == CUDA_ERROR_OUT_OF_MEMORY) return NULL; /* which is no failure */
    if (lrnde__cuda_check(d, error, "cuMemAlloc") || CALL(d, cuMemsetD8Async, p, 0, bytes, d->stream)) return NULL;
    return (void *)(uintptr_t)p;
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

static void cuda_copy(lrnde_device *d, void *to, const void *from, size_t bytes)
{
    lrnde__cuda_enter(d);
    CALL(d, cuMemcpyDtoDAsync, address(to), address(from), bytes, d->stream);
}

static void cuda_zero(lrnde_device *d, void *p, size_t bytes)
{
    lrnde__cuda_enter(d);
    CALL(d, cuMemsetD8Async, address(p), 0, bytes, d->stream);
}

int lrnde__cuda_sums_room(lrnde_device *d, size_t bytes)
{
    CUdeviceptr room;
    if (bytes <= d->step_sums_bytes) return 0;
    if (*d->failure || (d->refused && bytes >= d->refused)) return -1;
    if (d->cu->cuMemAlloc(&room, bytes)) {
        d->refused = bytes;
        return -1;
    }
    lrnde__cuda_wait(d);
    if (d->step_sums) d->cu->cuMemFree(d->step_sums);
    d->step_sums = room, d->step_sums_bytes = bytes;
    return *d->failure ? -1 : 0;
}

/* ---- kernels ---- */

int lrnde__cuda_has(lrnde_device *d, const lrnde__cuda_entry *entry)
{
    return !*d->failure && !lrnde__cuda_modules_need(&d->model, entry, d->failure, sizeof d->failure);
}

void lrnde__cuda_queue(lrnde_device *d, const lrnde__cuda_entry *entry, int64_t blocks, void **arguments)
{
    if (blocks > 0 && lrnde__cuda_has(d, entry))
        CALL(d, cuLaunchKernel, entry->function, (unsigned)blocks, 1, 1, (unsigned)entry->threads, 1, 1, 0, d->stream, arguments,
             NULL);
}

static int64_t quotient_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* Of a kernel with a thread an element. */
static void queue_elements(lrnde_device *d, const lrnde__cuda_entry *entry, int64_t n, void **arguments)
{
    const int64_t blocks = quotient_up(n, LRNDE__CUDA_VECTOR_BLOCK);
    lrnde__cuda_queue(d, entry, blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS, arguments);
}

static void cuda_add(lrnde_device *d, void *to, const void *from, int32_t rows, size_t stride, int64_t n)
{
    long long count = n;
    lrnde__cuda_enter(d);
    queue_elements(d, &d->model.add, n, (void *[]){&to, &from, &rows, &stride, &count});
}

static void cuda_normals(lrnde_device *d, const lrnde_draw *draw, int32_t n, const double *scale, void *const *to, int rounded)
{
    const size_t scales = (size_t)n * sizeof *scale, arrays = 2 * (size_t)n * sizeof *to;
    long long entries = (long long)draw->tiles * draw->size * draw->tile;
    unsigned long long key = draw->key;
    unsigned number = draw->draw, stream = LRNDE__STREAM_NOISE;
    int batch = draw->batch, tile = draw->tile, size = draw->size, draws = n;
    lrnde__cuda_enter(d);
    const size_t at = lrnde__cuda_take(d, scales + arrays);
    CUdeviceptr scale_there = d->ring_copy + at, to_there = scale_there + scales;
    memcpy(d->ring + at, scale, scales);
    memcpy(d->ring + at + scales, to, arrays);
    CALL(d, cuMemcpyHtoDAsync, scale_there, d->ring + at, scales + arrays, d->stream);
    queue_elements(d, &d->model.normals, entries * n,
                   (void *[]){&key, &number, &stream, &batch, &tile, &size, &entries, &draws, &scale_there, &to_there, &rounded});
}

static void cuda_combine(lrnde_device *d, void *to, int rounded, double a, const double *x, double b, const double *y, int64_t n)
{
    long long count = n;
    lrnde__cuda_enter(d);
    queue_elements(d, &d->model.combine, n, (void *[]){&to, &rounded, &a, &x, &b, &y, &count});
}

const lrnde__cuda_kernel *lrnde__cuda_find(const lrnde_device *d, const lrnde_kernel *kernel)
{
    const lrnde__cuda_kernel *k = d->model.kernels;
    while (k->kernel != kernel) k++;
    return k;
}

lrnde_args lrnde__cuda_move_args(lrnde_device *d, const lrnde__cuda_kernel *k, const lrnde_args *args)
{
    lrnde_args a = *args;
    size_t bytes = lrnde__cuda_tables_bytes(&k->lengths), at = lrnde__cuda_take(d, bytes);
    lrnde__cuda_move_tables(&k->lengths, &a, d->ring + at, d->ring_copy + at);
    if (bytes) CALL(d, cuMemcpyHtoDAsync, d->ring_copy + at, d->ring + at, bytes, d->stream);
    return a;
}

void lrnde__cuda_collect(lrnde_device *d, const double *sums, int64_t rows, int n, int count)
{
    const size_t first = (size_t)(d->n_pending - count);
    long long n_rows = rows;
    CUdeviceptr there = d->totals_there + first * LRNDE_MAX_SUMS * sizeof *d->totals;
    lrnde__cuda_queue(d, &d->model.sums, count, (void *[]){&sums, &n_rows, &n, &there});
}

/* The sums of a launch, on their way to total. */
static void collect(lrnde_device *d, const double *sums, int64_t rows, int n, double *total)
{
    if (d->n_pending == LRNDE__CUDA_PENDING) lrnde__cuda_wait(d);
    d->pending[d->n_pending++] = (lrnde__cuda_pending){total, n};
    lrnde__cuda_collect(d, sums, rows, n, 1);
}

static void cuda_squares(lrnde_device *d, const void *x, int64_t n, double *total)
{
    long long count = n, rows = quotient_up(n, LRNDE_CHUNK);
    const double *sums = (const double *)(uintptr_t)d->square_sums;
    if (rows > SQUARE_ROWS) rows = SQUARE_ROWS;
    lrnde__cuda_enter(d);
    lrnde__cuda_queue(d, &d->model.squares, rows, (void *[]){&x, &count, &sums});
    collect(d, sums, rows, 1, total);
}

static void cuda_launch(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *args, double *total)
{
    if (!kernel->tile && !kernel->shared) return;
    const lrnde__cuda_kernel *k = lrnde__cuda_find(d, kernel);
    int64_t chunks = kernel->shared ? quotient_up(kernel->shared_size, LRNDE_CHUNK) : 0;
    if (k->chains) {
        come_in(d);
        lrnde__cuda_put_off(d, k, args, total);
        return;
    }
    lrnde__cuda_enter(d);
    if (kernel->shared && kernel->partial)
        cuda_zero(d, args->partial, (size_t)args->workers * args->partial_stride * d->real_bytes);
    lrnde_args a = lrnde__cuda_move_args(d, k, args);
    if (kernel->tile) lrnde__cuda_queue(d, &k->tile, a.workers, (void *[]){&a});
    if (kernel->shared) lrnde__cuda_queue(d, &k->shared, chunks, (void *[]){&a});
    if (total && kernel->n_sums) { /* those of tiles, then of chunks, lie one after another */
        const double *sums = a.sums + (kernel->tile ? 0 : (int64_t)a.tiles * kernel->n_sums);
        collect(d, sums, (kernel->tile ? a.tiles : 0) + chunks, kernel->n_sums, total);
    }
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
