/*
 * driver.h - what a backend implements: memory of a device, and how a kernel runs there.
 *
 * A backend is a folder templates/<name>/ whose C files are part of the library and whose driver.c defines
 * lrnde_driver_<name>.  The runtime finds it because it is there, and knows none by name.  Pointers that alloc returns
 * belong to the device: only copy functions, and kernels, look behind them.
 */
#ifndef LRNDE_DRIVER_H
#define LRNDE_DRIVER_H

#include "kernel.h"

#include <string.h>

typedef struct lrnde_device lrnde_device; /* the backend's own */

/*
 * A draw: pairs of numbers N(0, 1), one for every entry of a per-sample array.  They are lrnde__normal of the words of
 * lrnde__random(key, LRNDE__STREAM_NOISE, draw, sample << 32 | feature), whatever the batch and the device (io/rng.h).
 */
typedef struct lrnde_draw {
    uint64_t key;
    uint32_t draw;
    int32_t batch, tile, tiles, size; /* the array is (tiles, size, tile); lanes beyond the batch repeat its last sample */
} lrnde_draw;

typedef struct lrnde_driver {
    const char *name;   /* of the device as users ask for it: "cpu"; the second of several is "name:1" */
    int32_t preference; /* "auto" tries the drivers from the highest down; no two have the same */
    int32_t remote;     /* the device has memory of its own, which what is put there crosses to */

    /*
     * Opens device number `ordinal` for a model, or returns NULL and says why (a line of at most size bytes).  threads: 0
     * for all.
     */
    lrnde_device *(*open)(const lrnde_model_desc *desc, int32_t ordinal, int32_t threads, char *why, size_t size);
    void (*close)(lrnde_device *d);
    const char *(*note)(const lrnde_device *d); /* NULL, or says in a few words how the device takes steps; "": as always */
    int32_t (*threads)(const lrnde_device *d);  /* or processors, whatever the device computes with */

    /* Workers a launch over so many tiles will have, at least 1: rows of args.work and args.partial. */
    int32_t (*workers)(const lrnde_device *d, int32_t tiles);

    void *(*alloc)(lrnde_device *d, size_t bytes); /* zeroed, 64-byte aligned; NULL: there is no more */
    void (*free)(lrnde_device *d, void *p);
    void (*put)(lrnde_device *d, void *to, const void *from, size_t bytes);  /* from the host */
    void (*get)(lrnde_device *d, void *to, const void *from, size_t bytes);  /* to the host */
    void (*copy)(lrnde_device *d, void *to, const void *from, size_t bytes); /* within the device; a multiple of 4, as of zero */
    void (*zero)(lrnde_device *d, void *p, size_t bytes);

    /* to[i] += sum over the rows, in their order, of from[row * stride + i], i < n; elements of the model's real. */
    void (*add)(lrnde_device *d, void *to, const void *from, int32_t rows, size_t stride, int64_t n);

    /* *total = sum of x[i]^2, i < n, in double and in an order that depends on n only; on the host and ready after sync. */
    void (*squares)(lrnde_device *d, const void *x, int64_t n, double *total);

    /*
     * Of n draws, this one and those after it: to[2 j][i] = scale[j] times the first of entry i's pair in draw j, to[2 j + 1] the
     * same of the second, unless it is NULL.  Doubles, or rounded to the model's reals.  scale and to are on the host and the
     * caller's again when the call returns.
     */
    void (*normals)(lrnde_device *d, const lrnde_draw *draw, int32_t n, const double *scale, void *const *to, int rounded);

    /* to[i] = a x[i] + b y[i], i < n, of doubles; to doubles, or rounded to the model's reals.  `to` may be x or y. */
    void (*combine)(lrnde_device *d, void *to, int rounded, double a, const double *x, double b, const double *y, int64_t n);

    /*
     * Runs the tile phase over the workers, then the shared phase in chunks of LRNDE_CHUNK, and adds the sums of tiles and
     * chunks in an order that depends on their number only: the same bits for any number of workers as long as no batch
     * sum is involved.  total (n_sums) is on the host and ready after sync; it may be NULL.  The tables of
     * pointers in args, and cot_sums, are on the host and the caller's again when the call returns.
     * Kernels add to args.partial.  That of a kernel with a shared phase is its own for the launch and is zeroed first;
     * that of one without is a running sum over launches, which the caller zeroes and collects with add.
     */
    void (*launch)(lrnde_device *d, const lrnde_kernel *kernel, const lrnde_args *args, double *total);

    /*
     * NULL, or goes a course (kernel.h): integrates the forward or the adjoint system by itself, deciding as control.h does.
     * args are those of step but for what the course has; tables and results of the course are on the host, and ready when the
     * call returns.
     * 0: it did not, nothing has happened, and whoever asked takes the steps.
     */
    int (*run)(lrnde_device *d, const lrnde_system_desc *sys, const lrnde_args *args, lrnde_course *course);

    /*
     * Waits for everything.  NULL, or one line that says how the device failed; it stays so: from then on its functions do
     * nothing, and what they give is NaN; a course is over at once.
     */
    const char *(*sync)(lrnde_device *d);
} lrnde_driver;

/* What a driver compiles at run time: the text for the device of its name; NULL: it calls the functions of the descriptor. */
static inline const lrnde_text *lrnde_text_for(const lrnde_model_desc *desc, const lrnde_driver *driver)
{
    for (int32_t i = 0; i < desc->n_texts; i++)
        if (!strcmp(desc->texts[i].backend, driver->name)) return &desc->texts[i];
    return NULL;
}

/* A system of a model, and what in symbols stands before the names of its kernels. */
typedef struct lrnde_named_system {
    const char *prefix;
    const lrnde_system_desc *system;
} lrnde_named_system;

enum { LRNDE_MOST_SYSTEMS = 5 };

/* Lists the systems a model has; returns how many. */
static inline int32_t lrnde_systems(const lrnde_model_desc *desc, lrnde_named_system *list)
{
    const lrnde_system_desc *f = desc->forward, *a = desc->adjoint;
    const lrnde_named_system all[LRNDE_MOST_SYSTEMS] = {{"", f},
                                                        {"start_", f ? f->start : NULL},
                                                        {"adjoint_", a},
                                                        {"adjoint_start_", a ? a->start : NULL},
                                                        {"local_", desc->regularizer.system}};
    int32_t n = 0;
    for (int i = 0; i < LRNDE_MOST_SYSTEMS; i++)
        if (all[i].system) list[n++] = all[i];
    return n;
}

#endif
