/*
 * device.h - an open device as the driver's files share it: its stream, the ring through which all that the host hands over goes,
 * and how its functions are called.
 */
#ifndef LRNDE_CUDA_DEVICE_H
#define LRNDE_CUDA_DEVICE_H

#include "driver.h"

#include "modules.h"

enum {
    LRNDE__CUDA_RING = 1 << 22,
    LRNDE__CUDA_PIECE = LRNDE__CUDA_RING / 4, /* the most that is taken of it at once */
    LRNDE__CUDA_ALIGN = 64,                   /* of such pieces */
    LRNDE__CUDA_PENDING = 256
};

/* Where a row of totals belongs, once the stream has been waited for. */
typedef struct lrnde__cuda_pending {
    double *total;
    int n;
} lrnde__cuda_pending;

/* Launches put off: pieces of the ring, each args, then tables. */
typedef struct lrnde__cuda_chain {
    const lrnde__cuda_kernel *kernel; /* NULL: there are none */
    size_t at;                        /* of the first */
    int32_t n, most, stride, workers;
    double *sums; /* (most, rows, n_sums) of the launches, if these are wanted; else NULL */
    int64_t rows;
} lrnde__cuda_chain;

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
    CUdeviceptr ring_copy; /* argument tables on the device, where they are in the ring */
    double *totals;        /* (LRNDE__CUDA_PENDING, LRNDE_MAX_SUMS) pinned, written by the device */
    CUdeviceptr totals_there;
    CUdeviceptr square_sums; /* (SQUARE_ROWS) */
    CUdeviceptr step_sums;   /* of several steps: of a run of the forward system, of a chain */
    size_t step_sums_bytes;
    size_t refused; /* bytes there were not for these; 0: none, or memory was given back since */
    lrnde__cuda_pending pending[LRNDE__CUDA_PENDING];
    int n_pending;
    lrnde__cuda_chain chain;
    char note[80]; /* how steps are taken */
    char failure[256];
};

/* The first failure is kept.  Returns the error. */
int lrnde__cuda_check(lrnde_device *d, CUresult error, const char *function);

/* Calls a function of the library unless something has failed; nonzero: it or something before has. */
#define CALL(d, function, ...) (*(d)->failure ? -1 : lrnde__cuda_check(d, (d)->cu->function(__VA_ARGS__), #function))

/* Before anything is queued; 0: the device is there. */
int lrnde__cuda_enter(lrnde_device *d);

/* Until all that is queued is done; 0: it was. */
int lrnde__cuda_wait(lrnde_device *d);

/*
 * A piece of the ring, until the next wait.  Returns its offset; size at most LRNDE__CUDA_PIECE.  The piece before it stays as it
 * was, even if taking this one has to wait.
 */
size_t lrnde__cuda_take(lrnde_device *d, size_t size);

/* Whether the entry can be launched: compiles it if it was not. */
int lrnde__cuda_has(lrnde_device *d, const lrnde__cuda_entry *entry);

void lrnde__cuda_queue(lrnde_device *d, const lrnde__cuda_entry *entry, int64_t blocks, void **arguments);

/* The sums of n columns over the rows, of `count` such arrays one after another, on their way to the latest pending totals. */
void lrnde__cuda_collect(lrnde_device *d, const double *sums, int64_t rows, int n, int count);

/* Room for step_sums; 0: there is.  What was in it is lost, but not before what is queued has had it. */
int lrnde__cuda_sums_room(lrnde_device *d, size_t bytes);

/* What is known of a kernel of the model. */
const lrnde__cuda_kernel *lrnde__cuda_find(const lrnde_device *d, const lrnde_kernel *kernel);

/* The same arguments with their tables on the device. */
lrnde_args lrnde__cuda_move_args(lrnde_device *d, const lrnde__cuda_kernel *k, const lrnde_args *args);

/* chain.c: puts a launch of a kernel that chains off; queues what was put off. */
void lrnde__cuda_put_off(lrnde_device *d, const lrnde__cuda_kernel *k, const lrnde_args *args, double *total);
void lrnde__cuda_end_chain(lrnde_device *d);

/* The driver's run (driver.h), and what it settles when a device has been opened: how steps are going to be taken. */
int lrnde__cuda_run(lrnde_device *d, const lrnde_system_desc *sys, const lrnde_args *args, lrnde_course *c);
void lrnde__cuda_run_begin(lrnde_device *d);

#endif
