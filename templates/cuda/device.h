/*
 * device.h - an open device as the driver's files share it: its stream, the ring through which all that the host hands over goes,
 * and how its functions are called.
 */
#ifndef LRNDE_CUDA_DEVICE_H
#define LRNDE_CUDA_DEVICE_H

#include "driver.h"

#include "graph.h"
#include "modules.h"

enum {
    LRNDE__CUDA_RING = 1 << 22,
    LRNDE__CUDA_PIECE = LRNDE__CUDA_RING / 4, /* the most that is taken of it at once */
    LRNDE__CUDA_ALIGN = 64,                   /* of such pieces */
    LRNDE__CUDA_JOINED = 64,                  /* launches of a kernel, at most, that are one and whose sums lie side by side */
    LRNDE__CUDA_PENDING = 256
};

/* Where a row of totals belongs, once the stream has been waited for. */
typedef struct lrnde__cuda_pending {
    double *total;
    int n;
} lrnde__cuda_pending;

/* Sums of launches that are added up together, (most, rows, n); those of the latest `count` of what is pending are there. */
typedef struct lrnde__cuda_sums {
    double *sums;
    int64_t rows;
    int32_t n, count, most;
} lrnde__cuda_sums;

struct lrnde_device {
    const lrnde__cuda_api *cu;
    CUdevice device;
    CUcontext context;
    CUstream stream;
    int multiprocessors, cooperative;
    int capability;
    size_t real_bytes;
    lrnde__cuda_modules model;
    char *ring; /* pinned; a piece of it is free again when the stream has been waited for */
    size_t used;
    CUdeviceptr ring_copy;                    /* arguments on the device */
    lrnde__cuda_node list[LRNDE__CUDA_NODES]; /* launches that are put off, their arguments in the ring, from `first` on */
    int n_list;
    size_t first;
    lrnde__cuda_graphs graphs;
    double *totals; /* (LRNDE__CUDA_PENDING, LRNDE_MAX_SUMS) pinned, written by the device */
    CUdeviceptr totals_there;
    CUdeviceptr square_sums; /* (SQUARE_ROWS) */
    CUdeviceptr step_sums;   /* of several steps: of a run of the forward system, of launches */
    size_t step_sums_bytes;
    size_t refused; /* bytes there were not for these; 0: none, or memory was given back since */
    lrnde__cuda_pending pending[LRNDE__CUDA_PENDING];
    int n_pending;
    lrnde__cuda_sums sums;
    char note[160]; /* how steps are taken, and products */
    char failure[256];
};

/* The first failure is kept.  Returns the error. */
int lrnde__cuda_check(lrnde_device *d, CUresult error, const char *function);

/* Calls a function of the library unless something has failed; nonzero: it or something before has. */
#define CALL(d, function, ...) (*(d)->failure ? -1 : lrnde__cuda_check(d, (d)->cu->function(__VA_ARGS__), #function))

/* At the beginning of a call that puts launches off. */
void lrnde__cuda_come_in(lrnde_device *d);

/* At the beginning of one that queues something itself: queues what was put off.  0: the device is there. */
int lrnde__cuda_enter(lrnde_device *d);

/* Until all that is queued is done; 0: it was. */
int lrnde__cuda_wait(lrnde_device *d);

/* Queues what was put off. */
void lrnde__cuda_flush(lrnde_device *d);

/*
 * A piece of the ring, until the next wait; size at most LRNDE__CUDA_PIECE.  The piece before it stays as it was, even if taking
 * this one has to wait.  Of what is queued by itself: returns its offset.
 */
size_t lrnde__cuda_take(lrnde_device *d, size_t size);

/* Of what is put off: it lies `there` when the launches are run. */
char *lrnde__cuda_take_arguments(lrnde_device *d, size_t size, CUdeviceptr *there);

/* ---- launches, put off ---- */

/* Whether the entry can be launched: compiles it if it was not. */
int lrnde__cuda_has(lrnde_device *d, const lrnde__cuda_entry *entry);

void lrnde__cuda_put_off(lrnde_device *d, const lrnde__cuda_entry *entry, int64_t blocks, const lrnde__cuda_word *words,
                         size_t n);

#define LRNDE__CUDA_PUT_OFF(d, entry, blocks, ...)                                                                               \
    lrnde__cuda_put_off(d, entry, blocks, (const lrnde__cuda_word[]){__VA_ARGS__},                                               \
                        sizeof((const lrnde__cuda_word[]){__VA_ARGS__}) / sizeof(lrnde__cuda_word))

/* The phases of a kernel, and what adds up its sums; total: NULL, or where these go. */
void lrnde__cuda_put_off_kernel(lrnde_device *d, const lrnde__cuda_kernel *k, const lrnde_args *args, double *total);

/* ---- sums.c: sums on their way to totals ---- */

/* Before a launch that makes n sums in each of `rows` rows: at `sums`, or, if there may be several, beside those of others. */
void lrnde__cuda_begin_sums(lrnde_device *d, double *sums, int64_t rows, int n, int several);

/* Where the launch has to put them, which comes next; total has what they add up to after a wait. */
double *lrnde__cuda_next_sums(lrnde_device *d, double *total);

/* Adds up those there are. */
void lrnde__cuda_end_sums(lrnde_device *d);

/* Totals to where they belong; NaN if the device failed. */
void lrnde__cuda_hand_totals(lrnde_device *d, int failed);

/* Room for step_sums; 0: there is.  What was in it is lost, but not before what is queued has had it. */
int lrnde__cuda_sums_room(lrnde_device *d, size_t bytes);

/* ---- run.c: the driver's run (driver.h) ---- */

/* What is known of a kernel of the model. */
const lrnde__cuda_kernel *lrnde__cuda_find(const lrnde_device *d, const lrnde_kernel *kernel);

int lrnde__cuda_run(lrnde_device *d, const lrnde_system_desc *sys, const lrnde_args *args, lrnde_course *c);

/* What it settles when a device has been opened: how steps are going to be taken. */
void lrnde__cuda_run_begin(lrnde_device *d);

#endif
