/*
 * queue.c - launches on their way to the stream.
 *
 * A launch is put off until something else wants the stream, the host waits, or many of a kernel have come together.
 *   - Launches of one kernel that follow each other are one, with a list of arguments: a worker's tiles are its own affair, it
 *     can take them through one step after another without waiting for others.  So steps of given lengths, those that a sweep
 *     takes again, and those that it transposes are a launch for every LRNDE__CUDA_JOINED of them.
 *   - The arguments of all that is put off cross together, and always to the same place.
 *   - What is left are launches that differ.  A sequence of them that comes again is a graph (graph.h), most of which is the
 *     same then.
 */
#include "device.h"

#include <string.h>

enum { LIST, LENGTH }; /* words of a tile phase */

enum { AT_ONCE = 8 /* launches that a call puts off, at most: what is zeroed, two phases, sums */ };

/* ---- the stream ---- */

void lrnde__cuda_come_in(lrnde_device *d)
{
    CALL(d, cuCtxSetCurrent, d->context);
    if (d->n_list > LRNDE__CUDA_NODES - AT_ONCE) lrnde__cuda_flush(d);
}

int lrnde__cuda_enter(lrnde_device *d)
{
    CALL(d, cuCtxSetCurrent, d->context);
    lrnde__cuda_flush(d);
    return *d->failure ? -1 : 0;
}

int lrnde__cuda_wait(lrnde_device *d)
{
    lrnde__cuda_flush(d);
    const int failed = CALL(d, cuStreamSynchronize, d->stream);
    d->used = d->first = 0;
    lrnde__cuda_hand_totals(d, failed);
    return failed;
}

static void launch(lrnde_device *d, const lrnde__cuda_node *node)
{
    void *arguments[LRNDE__CUDA_WORDS];
    lrnde__cuda_arguments(node, arguments);
    CALL(d, cuLaunchKernel, node->entry->function, node->blocks, 1, 1, (unsigned)node->entry->threads, 1, 1, 0, d->stream,
         arguments, NULL);
}

void lrnde__cuda_flush(lrnde_device *d)
{
    lrnde__cuda_end_sums(d);
    const int n = d->n_list;
    const size_t first = d->first;
    d->n_list = 0;
    d->first = d->used;
    if (!n || *d->failure) return;
    if (d->used > first) CALL(d, cuMemcpyHtoDAsync, d->ring_copy, d->ring + first, d->used - first, d->stream);
    const CUgraphExec graph = lrnde__cuda_graph(&d->graphs, d->list, n);
    if (graph) CALL(d, cuGraphLaunch, graph, d->stream);
    for (int i = 0; i < n && !graph; i++) launch(d, &d->list[i]);
}

/* ---- the ring ---- */

static size_t aligned(size_t size)
{
    return (size + LRNDE__CUDA_ALIGN - 1) / LRNDE__CUDA_ALIGN * LRNDE__CUDA_ALIGN;
}

static size_t take(lrnde_device *d, size_t size)
{
    if (d->used + size > LRNDE__CUDA_RING) lrnde__cuda_wait(d);
    const size_t at = d->used;
    d->used += aligned(size);
    return at;
}

size_t lrnde__cuda_take(lrnde_device *d, size_t size)
{
    const size_t at = take(d, size);
    d->first = d->used;
    return at;
}

char *lrnde__cuda_take_arguments(lrnde_device *d, size_t size, CUdeviceptr *there)
{
    const size_t at = take(d, size);
    *there = d->ring_copy + (at - d->first);
    return d->ring + at;
}

/* ---- launches ---- */

int lrnde__cuda_has(lrnde_device *d, const lrnde__cuda_entry *entry)
{
    return !*d->failure && !lrnde__cuda_modules_need(&d->model, entry, d->failure, sizeof d->failure);
}

void lrnde__cuda_put_off(lrnde_device *d, const lrnde__cuda_entry *entry, int64_t blocks, const lrnde__cuda_word *words, size_t n)
{
    if (blocks <= 0 || !lrnde__cuda_has(d, entry)) return;
    lrnde__cuda_node *node = &d->list[d->n_list++];
    *node = (lrnde__cuda_node){.entry = entry, .blocks = (unsigned)blocks};
    memcpy(node->words, words, n * sizeof *words);
}

/* One more for the launch before, if that is of the same kernel and the same tiles, and the arguments lie behind its own. */
static int join(lrnde_device *d, const lrnde__cuda_kernel *k, const char *here, CUdeviceptr there, int64_t stride)
{
    if (!d->n_list) return 0;
    lrnde__cuda_node *last = &d->list[d->n_list - 1];
    if (last->entry != &k->tile || last->words[LIST].there + (CUdeviceptr)(last->words[LENGTH].n * stride) != there) return 0;
    const lrnde_args *a = (const lrnde_args *)here, *before = (const lrnde_args *)(here - stride);
    if (before->tiles != a->tiles || before->workers != a->workers) return 0;
    last->words[LENGTH].n++;
    if (last->words[LENGTH].n == LRNDE__CUDA_JOINED) lrnde__cuda_flush(d);
    return 1;
}

void lrnde__cuda_put_off_kernel(lrnde_device *d, const lrnde__cuda_kernel *k, const lrnde_args *args, double *total)
{
    const lrnde_kernel *kernel = k->kernel;
    const int64_t chunks = kernel->shared ? (kernel->shared_size + LRNDE_CHUNK - 1) / LRNDE_CHUNK : 0;
    const size_t stride = aligned(sizeof(lrnde_args) + lrnde__cuda_tables_bytes(&k->lengths));
    const int summed = total && kernel->n_sums;
    lrnde_args a = *args;
    CUdeviceptr there;
    /* Sums of tiles, then of chunks, lie one after another. */
    if (summed)
        lrnde__cuda_begin_sums(d, a.sums + (kernel->tile ? 0 : (int64_t)a.tiles * kernel->n_sums),
                               (kernel->tile ? a.tiles : 0) + chunks, kernel->n_sums, !kernel->shared);
    char *here = lrnde__cuda_take_arguments(d, stride, &there);
    if (summed) {
        double *sums = lrnde__cuda_next_sums(d, total);
        if (!kernel->shared) a.sums = sums;
    }
    lrnde__cuda_move_tables(&k->lengths, &a, here + sizeof a, there + sizeof a);
    memcpy(here, &a, sizeof a);
    if (kernel->tile && !join(d, k, here, there, (int64_t)stride))
        LRNDE__CUDA_PUT_OFF(d, &k->tile, a.workers, {.there = there}, {.n = 1}, {.n = (int64_t)stride});
    if (kernel->shared) LRNDE__CUDA_PUT_OFF(d, &k->shared, chunks, {.there = there});
    if (d->sums.most == 1) lrnde__cuda_end_sums(d);
}
