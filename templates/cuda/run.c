/*
 * run.c - many steps of an integration in one cooperative launch and one wait (driver.h's run).
 *
 * The blocks of such a launch are all resident at once, so that they can wait for each other: one a worker, or fewer with more
 * to do.  Steps of wide models have a second form, by clusters of blocks that hold the weights (cluster.cuh), which is taken
 * where the device has clusters and one of them, at least, is resident.
 */
#include "device.h"

#include "course.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- how many fit ---- */

enum { ATTRIBUTES = 2 };

/* What clusters there are is asked for with the first attribute alone, as the documentation has it; the other is of a launch. */
static CUlaunchConfig shape_of(lrnde_device *d, const lrnde__cuda_entry *entry, int64_t blocks, CUlaunchAttribute *attributes)
{
    attributes[0] = (CUlaunchAttribute){.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION,
                                        .value.cluster = {(unsigned)d->model.cluster.blocks, 1, 1}};
    attributes[1] = (CUlaunchAttribute){.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE, .value.cooperative = 1};
    return (CUlaunchConfig){.gridDimX = (unsigned)blocks,
                            .gridDimY = 1,
                            .gridDimZ = 1,
                            .blockDimX = (unsigned)entry->threads,
                            .blockDimY = 1,
                            .blockDimZ = 1,
                            .sharedMemBytes = (unsigned)entry->shared_bytes,
                            .hStream = d->stream,
                            .attrs = attributes,
                            .numAttrs = ATTRIBUTES};
}

/* Clusters that are resident at once; what cannot be asked has none. */
static int resident_clusters(lrnde_device *d, const lrnde__cuda_entry *entry)
{
    int clusters = 0;
    CUlaunchAttribute attributes[ATTRIBUTES];
    CUlaunchConfig shape = shape_of(d, entry, d->model.cluster.blocks, attributes);
    if (!entry->function) return 0;
    shape.numAttrs = 1;
    return d->cu->cuOccupancyMaxActiveClusters(&clusters, entry->function, &shape) ? 0 : clusters;
}

static int64_t resident_blocks(lrnde_device *d, const lrnde__cuda_entry *entry)
{
    int blocks = 0;
    CALL(d, cuOccupancyMaxActiveBlocksPerMultiprocessor, &blocks, entry->function, entry->threads, 0);
    return (int64_t)blocks * d->multiprocessors;
}

/* ---- the forms of a run ---- */

typedef struct form {
    const lrnde__cuda_entry *entry;
    int64_t blocks; /* 0: it cannot be launched */
    int64_t rows;   /* of sums in each of two steps; 0: those of the arguments serve */
} form;

static form by_clusters(lrnde_device *d, const lrnde__cuda_entry *entry, int32_t tiles)
{
    const lrnde__cuda_cluster *c = &d->model.cluster;
    if (!*entry->name || !lrnde__cuda_has(d, entry)) return (form){.entry = entry};
    const int64_t groups = (tiles + c->tiles - 1) / c->tiles, resident = resident_clusters(d, entry);
    return (form){entry, c->blocks * least(resident, groups), c->blocks * groups};
}

static form by_blocks(lrnde_device *d, const lrnde__cuda_entry *entry, const lrnde_args *args, int forward)
{
    if (!*entry->name || !lrnde__cuda_has(d, entry)) return (form){.entry = entry};
    const int64_t resident = resident_blocks(d, entry);
    return (form){entry, least(resident, args->workers), forward ? args->tiles : 0};
}

static form choose(lrnde_device *d, const lrnde_system_desc *sys, const lrnde_args *args, int tape)
{
    const lrnde__cuda_modules *m = &d->model;
    if (sys == m->desc->adjoint) return by_blocks(d, &m->adjoint_run, args, 0);
    form f = by_clusters(d, tape ? &m->cluster_run_tape : &m->cluster_run, args->tiles);
    return f.blocks ? f : by_blocks(d, tape ? &m->run_tape : &m->run, args, 1);
}

/* Says how steps are taken, if there is more than one way, and products, if not by FMA alone. */
__attribute__((format(printf, 2, 3))) static void note(lrnde_device *d, const char *steps, ...)
{
    static const char *const products[] = {"", "products on tensor cores in 3xtf32", "products on tensor cores in tf32"};
    char text[sizeof d->note - 64];
    va_list values;
    va_start(values, steps);
    vsnprintf(text, sizeof text, steps, values);
    va_end(values);
    snprintf(d->note, sizeof d->note, "%s%s%s", text, *text && d->model.tensor_cores ? ", " : "",
             products[d->model.tensor_cores]);
}

/* From now on steps are taken by blocks. */
static void leave_clusters(lrnde__cuda_modules *m)
{
    *m->cluster_run.name = *m->cluster_run_tape.name = '\0';
}

void lrnde__cuda_run_begin(lrnde_device *d)
{
    lrnde__cuda_modules *m = &d->model;
    const int resident = m->cluster.blocks && lrnde__cuda_has(d, &m->cluster_run) ? resident_clusters(d, &m->cluster_run) : 0;
    if (resident) {
        note(d, "steps by clusters of %d blocks, %d of them at once", m->cluster.blocks, resident);
    } else if (m->cluster.blocks) {
        note(d, "steps by blocks: a cluster of %d, %d bytes each, does not fit", m->cluster.blocks, m->cluster_run.shared_bytes);
        leave_clusters(m);
    } else {
        note(d, "%s", "");
    }
}

/* ---- a launch ---- */

/* The same arguments with their tables on the device. */
static lrnde_args move_args(lrnde_device *d, const lrnde__cuda_kernel *k, const lrnde_args *args)
{
    lrnde_args a = *args;
    const size_t bytes = lrnde__cuda_tables_bytes(&k->lengths), at = lrnde__cuda_take(d, bytes);
    lrnde__cuda_move_tables(&k->lengths, &a, d->ring + at, d->ring_copy + at);
    if (bytes) CALL(d, cuMemcpyHtoDAsync, d->ring_copy + at, d->ring + at, bytes, d->stream);
    return a;
}

/* Nonzero: clusters are refused.  How many are resident is no promise. */
static int launch(lrnde_device *d, const form *f, void **arguments)
{
    CUlaunchAttribute attributes[ATTRIBUTES];
    CUlaunchConfig shape = shape_of(d, f->entry, f->blocks, attributes);
    if (f->entry->shared_bytes) return *d->failure ? 0 : d->cu->cuLaunchKernelEx(&shape, f->entry->function, arguments, NULL);
    CALL(d, cuLaunchCooperativeKernel, f->entry->function, shape.gridDimX, 1, 1, shape.blockDimX, 1, 1, 0, d->stream, arguments);
    return 0;
}

int lrnde__cuda_run(lrnde_device *d, const lrnde_system_desc *sys, const lrnde_args *args, lrnde_course *c)
{
    const lrnde_model_desc *desc = d->model.desc;
    size_t written, bytes = lrnde__cuda_course_bytes(desc, sys, c, &written);
    if (!d->cooperative || bytes > LRNDE__CUDA_PIECE || (c->noise && c->pieces.count > LRNDE_MAX_PIECES)) return 0;
    lrnde__cuda_enter(d);
    const form f = choose(d, sys, args, c->tape != NULL);
    if (!*d->failure && (f.blocks == 0 || lrnde__cuda_sums_room(d, 2 * (size_t)f.rows * (size_t)sys->n_sums * sizeof(double))))
        return 0;
    lrnde_args a = move_args(d, lrnde__cuda_find(d, &sys->step), args);
    if (f.rows) a.sums = (double *)(uintptr_t)d->step_sums;
    size_t at = lrnde__cuda_take(d, bytes);
    CUdeviceptr there = d->ring_copy + at;
    lrnde__cuda_course_put(desc, sys, c, d->ring + at, there);
    CALL(d, cuMemcpyHtoDAsync, there, d->ring + at, bytes, d->stream);
    if (launch(d, &f, (void *[]){&a, &there})) {
        leave_clusters(&d->model);
        note(d, "steps by blocks: clusters of %d are refused", d->model.cluster.blocks);
        return lrnde__cuda_run(d, sys, args, c);
    }
    CALL(d, cuMemcpyDtoHAsync, d->ring + at, there, written, d->stream);
    if (lrnde__cuda_wait(d))
        c->accepted = c->rejected = 0, c->over = 1, c->E = NAN;
    else
        lrnde__cuda_course_get(sys, c, d->ring + at);
    return 1;
}
