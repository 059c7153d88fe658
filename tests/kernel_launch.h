/*
 * kernel_launch.h - one launch of a generated kernel with fields given and read by name, as lrnde-gen --eval names them:
 * "carry[0]", "params.<leaf>", "tape_in[4]", "t".
 *
 * Arrays are given and returned as doubles, row-major (given samples, size) if per sample; a batch may have several copies of
 * each, in an order of its own.  Per-sample inputs are packed into tiles whose lanes beyond the batch repeat the last sample.
 * Whatever a kernel must write itself holds NaN before the launch, and so does its scratch; whatever it adds to holds 1.
 */
#ifndef TESTS_KERNEL_LAUNCH_H
#define TESTS_KERNEL_LAUNCH_H

#include "driver.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

enum { LAUNCH_TABLE = 64, LAUNCH_ARRAYS = 256 };

typedef struct launch_array {
    char field[64];
    bool per_sample;
    int64_t size;      /* features, or elements if shared */
    int64_t rows, row; /* per sample: of a tile, and the first of them that is this array's */
    void *at;          /* on the device: tiles, or dense */
} launch_array;

typedef struct launch {
    const lrnde_model_desc *model;
    const lrnde_system_desc *system; /* whose fields they are */
    const lrnde_kernel *kernel;
    const lrnde_driver *driver;
    lrnde_device *device;
    int32_t tile;   /* what the driver runs */
    int32_t copies; /* of each sample, in the batch */
    lrnde_args args;
    void *tables[16][LAUNCH_TABLE]; /* the tables of pointers in args */
    double cot_sums[LRNDE_MAX_SUMS], total[LRNDE_MAX_SUMS];
    launch_array arrays[LAUNCH_ARRAYS];
    int n_arrays;
    void *owned[LAUNCH_ARRAYS];
    int n_owned;
} launch;

/* Where the tables of pointers are, and which the kernel adds to. */
static const struct {
    const char *name;
    size_t offset;
    bool added;
} LAUNCH_TABLES[] = {
#define LAUNCH_X(name, added)                                                                                                    \
    {                                                                                                                            \
#name, offsetof(lrnde_args, name), added                                                                                 \
    }
    LAUNCH_X(data, false),  LAUNCH_X(constants, false),    LAUNCH_X(carry, false),
    LAUNCH_X(next, false),  LAUNCH_X(next_in, false),      LAUNCH_X(k, false),
    LAUNCH_X(k_in, false),  LAUNCH_X(external, false),     LAUNCH_X(out, false),
    LAUNCH_X(in, false),    LAUNCH_X(cot_next, false),     LAUNCH_X(cot_carry, false),
    LAUNCH_X(cot_k, false), LAUNCH_X(cot_constants, true), LAUNCH_X(noise, false),
#undef LAUNCH_X
};
enum { LAUNCH_TABLE_COUNT = sizeof LAUNCH_TABLES / sizeof *LAUNCH_TABLES };

static inline void *launch_alloc(launch *l, int64_t n, double value)
{
    size_t bytes = (size_t)(n ? n : 1) * (size_t)l->model->real_bytes;
    void *host = malloc(bytes), *p = l->driver->alloc(l->device, bytes);
    assert_true(host && p && l->n_owned < LAUNCH_ARRAYS);
    for (int64_t i = 0; i < n; i++) {
        if (l->model->real_bytes == sizeof(float))
            ((float *)host)[i] = (float)value;
        else
            ((double *)host)[i] = value;
    }
    l->driver->put(l->device, p, host, (size_t)n * (size_t)l->model->real_bytes);
    free(host);
    return l->owned[l->n_owned++] = p;
}

static inline void launch_begin(launch *l, const lrnde_model_desc *model, const lrnde_system_desc *system,
                                const lrnde_kernel *kernel, const lrnde_driver *driver, int32_t batch, int32_t threads)
{
    char why[256];
    *l = (launch){.model = model, .system = system, .kernel = kernel, .driver = driver, .copies = 1};
    l->device = driver->open(model, 0, threads, why, sizeof why);
    if (!l->device) fail_msg("%s", why);
    lrnde_args *a = &l->args;
    const lrnde_text *text = lrnde_text_for(model, driver);
    const int64_t work = text ? text->work : kernel->work;
    l->tile = text ? text->tile : model->tile;
    a->batch = batch, a->tiles = (batch + l->tile - 1) / l->tile;
    a->workers = driver->workers(l->device, a->tiles);
    for (int i = 0; i < LAUNCH_TABLE_COUNT; i++)
        memcpy((char *)a + LAUNCH_TABLES[i].offset, &(void *){l->tables[i]}, sizeof(void *));
    const int64_t lanes = (int64_t)a->tiles * l->tile, rows = kernel->shared_size / LRNDE_CHUNK + 1 + a->tiles;
    a->params = launch_alloc(l, model->n_params, NAN);
    a->tape = launch_alloc(l, lanes * system->tape, NAN);
    a->tape_in = launch_alloc(l, lanes * system->tape, NAN);
    a->work_stride = (size_t)work, a->partial_stride = (size_t)kernel->partial;
    a->work = launch_alloc(l, a->workers * work, NAN);
    a->partial = launch_alloc(l, a->workers * kernel->partial, kernel->shared ? NAN : 1);
    a->sums = driver->alloc(l->device, (size_t)(rows * kernel->n_sums + 1) * sizeof(double));
    a->cot_sums = l->cot_sums;
    l->owned[l->n_owned++] = a->sums;
}

static inline void launch_end(launch *l)
{
    for (int i = 0; i < l->n_owned; i++) l->driver->free(l->device, l->owned[i]);
    l->driver->close(l->device);
}

/* ---- fields ---- */

/* Splits "k_in[3]"; without an index returns -1. */
static inline int launch_split(const char *field, char base[static 64])
{
    int index = -1;
    sscanf(field, "%63[^[][%d]", base, &index);
    return index;
}

static inline double *launch_scalar(launch *l, const char *field)
{
    char base[64];
    int index = launch_split(field, base);
#define LRNDE_X(name, doc)                                                                                                       \
    if (!strcmp(field, #name)) return &l->args.s.name;
    LRNDE_SCALARS(LRNDE_X)
#undef LRNDE_X
    return !strcmp(base, "cot_sums") ? &l->cot_sums[index] : NULL;
}

static inline int64_t launch_leaf_offset(const launch *l, const char *name)
{
    for (int32_t i = 0; i < l->model->n_param_leaves; i++)
        if (!strcmp(l->model->param_leaves[i].name, name)) return l->model->param_leaves[i].offset;
    fail_msg("%s has no parameter '%s'", l->model->name, name);
    return 0;
}

/* The array of a field, made when it is first asked for. */
static inline launch_array *launch_find(launch *l, const char *field, bool per_sample, int64_t size)
{
    char base[64];
    for (int i = 0; i < l->n_arrays; i++)
        if (!strcmp(l->arrays[i].field, field)) return &l->arrays[i];
    assert_true(l->n_arrays < LAUNCH_ARRAYS);
    launch_array *array = &l->arrays[l->n_arrays++];
    *array = (launch_array){.per_sample = per_sample, .size = size, .rows = size};
    snprintf(array->field, sizeof array->field, "%s", field);
    const int index = launch_split(field, base);
    const int64_t n = per_sample ? (int64_t)l->args.tiles * l->tile * size : size;
    const size_t real = (size_t)l->model->real_bytes;
    if (!strncmp(field, "params.", 7)) {
        array->at = (char *)l->args.params + (size_t)launch_leaf_offset(l, field + 7) * real;
    } else if (!strcmp(field, "params")) {
        array->at = (void *)l->args.params;
    } else if (!strcmp(field, "grad")) {
        array->at = l->args.grad = launch_alloc(l, n, NAN);
    } else if (!strcmp(base, "tape") || !strcmp(base, "tape_in")) {
        array->at = strcmp(base, "tape") ? (void *)l->args.tape_in : l->args.tape;
        array->rows = l->system->tape, array->row = index;
    } else {
        int table = 0;
        while (table < LAUNCH_TABLE_COUNT && strcmp(LAUNCH_TABLES[table].name, base)) table++;
        if (table == LAUNCH_TABLE_COUNT || index < 0 || index >= LAUNCH_TABLE) fail_msg("there is no field '%s'", field);
        array->at = l->tables[table][index] = launch_alloc(l, n, LAUNCH_TABLES[table].added ? 1 : NAN);
    }
    return array;
}

/* Position of feature i of a lane, in elements. */
static inline size_t launch_place(const launch *l, const launch_array *array, int64_t lane, int64_t i)
{
    if (!array->per_sample) return (size_t)i;
    return (size_t)((lane / l->tile * array->rows + array->row + i) * l->tile + lane % l->tile);
}

/*
 * The given sample in a lane.  Copies are spread such that no two tiles are alike (a multiple of SPREAD, which no batch of copies
 * is, would have them so).
 */
static inline int64_t launch_sample(const launch *l, int64_t lane)
{
    enum { SPREAD = 317 };
    const int64_t batch = l->args.batch, i = lane < batch ? lane : batch - 1;
    return l->copies > 1 ? i * SPREAD % batch / l->copies : i;
}

static inline int64_t launch_lanes(const launch *l, const launch_array *array)
{
    return array->per_sample ? (int64_t)l->args.tiles * l->tile : 1;
}

/* n elements from doubles, or to them. */
static inline void launch_put(const launch *l, void *at, const double *x, int64_t n)
{
    float *narrow = malloc((size_t)(n + 1) * sizeof *narrow);
    for (int64_t i = 0; i < n; i++) narrow[i] = (float)x[i];
    const size_t real = (size_t)l->model->real_bytes;
    l->driver->put(l->device, at, real == sizeof(float) ? (const void *)narrow : x, (size_t)n * real);
    free(narrow);
}

static inline void launch_take(const launch *l, const void *at, double *x, int64_t n)
{
    const size_t real = (size_t)l->model->real_bytes;
    void *bytes = malloc((size_t)(n + 1) * real);
    l->driver->get(l->device, bytes, at, (size_t)n * real);
    for (int64_t i = 0; i < n; i++) x[i] = real == sizeof(float) ? (double)((float *)bytes)[i] : ((double *)bytes)[i];
    free(bytes);
}

/* What of an array is side by side: all of it, or of a tile's rows. */
static inline int64_t launch_piece(const launch *l, const launch_array *array)
{
    return array->per_sample ? array->size * l->tile : array->size;
}

static inline void *launch_at(const launch *l, const launch_array *array, int64_t lane)
{
    return (char *)array->at + launch_place(l, array, lane, 0) * (size_t)l->model->real_bytes;
}

static inline void launch_set(launch *l, const char *field, bool per_sample, int64_t size, const double *x)
{
    double *scalar = launch_scalar(l, field);
    if (scalar) {
        *scalar = *x;
        return;
    }
    const launch_array *array = launch_find(l, field, per_sample, size);
    const int64_t tile = per_sample ? l->tile : 1, n = launch_piece(l, array);
    double *piece = malloc((size_t)(n + 1) * sizeof *piece);
    for (int64_t lane = 0; lane < launch_lanes(l, array); lane++) {
        for (int64_t i = 0; i < size; i++)
            piece[i * tile + lane % tile] = x[launch_sample(l, lane) * (per_sample ? size : 0) + i];
        if (lane % tile == tile - 1) launch_put(l, launch_at(l, array, lane - lane % tile), piece, n);
    }
    free(piece);
}

/* An output: (lanes, size) if per sample, else (size); the caller frees it. */
static inline double *launch_fetch(const launch *l, const launch_array *array)
{
    const int64_t tile = array->per_sample ? l->tile : 1, lanes = launch_lanes(l, array), size = array->size;
    double *x = malloc((size_t)(lanes * size + 1) * sizeof *x), *piece = malloc((size_t)(tile * size + 1) * sizeof *piece);
    for (int64_t lane = 0; lane < lanes; lane++) {
        if (lane % tile == 0) launch_take(l, launch_at(l, array, lane), piece, launch_piece(l, array));
        for (int64_t i = 0; i < size; i++) x[lane * size + i] = piece[i * tile + lane % tile];
    }
    free(piece);
    return x;
}

/* Element i of a lane of an output. */
static inline double launch_get(const launch *l, const launch_array *array, int64_t lane, int64_t i)
{
    double x;
    launch_take(l, (char *)array->at + launch_place(l, array, lane, i) * (size_t)l->model->real_bytes, &x, 1);
    return x;
}

static inline void launch_run(launch *l)
{
    l->driver->launch(l->device, l->kernel, &l->args, l->total);
    assert_null(l->driver->sync(l->device));
}

#endif
