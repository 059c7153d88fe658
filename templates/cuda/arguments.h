/*
 * arguments.h - the kernels of a model, their symbols, and the tables in their arguments.
 *
 * lrnde_args holds tables of pointers (carry, k, out, ...) and cot_sums, which lie on the host.  A kernel on a device needs
 * them there: how long each is depends on the kernel and on the system it belongs to, as the lines of kernel.h say.
 */
#ifndef LRNDE_CUDA_ARGUMENTS_H
#define LRNDE_CUDA_ARGUMENTS_H

#include "api.h"
#include "kernel.h"

#define LRNDE__CUDA_TABLES(X)                                                                                                    \
    X(data)                                                                                                                      \
    X(constants)                                                                                                                 \
    X(carry)                                                                                                                     \
    X(next)                                                                                                                      \
    X(next_in)                                                                                                                   \
    X(k)                                                                                                                         \
    X(k_in)                                                                                                                      \
    X(external)                                                                                                                  \
    X(out)                                                                                                                       \
    X(in)                                                                                                                        \
    X(cot_next)                                                                                                                  \
    X(cot_carry)                                                                                                                 \
    X(cot_k)                                                                                                                     \
    X(cot_constants)                                                                                                             \
    X(cot_sums)

/* Entries of each table, all of 8 bytes. */
typedef struct lrnde__cuda_lengths {
#define LRNDE_X(name) int32_t name;
    LRNDE__CUDA_TABLES(LRNDE_X)
#undef LRNDE_X
} lrnde__cuda_lengths;

/* An entry point, and the threads of its blocks. */
typedef struct lrnde__cuda_phase {
    CUfunction function;
    int threads;
} lrnde__cuda_phase;

typedef struct lrnde__cuda_kernel {
    const lrnde_kernel *kernel;
    char symbol[160];               /* without _tile or _shared */
    lrnde__cuda_phase tile, shared; /* the driver's */
    lrnde__cuda_lengths lengths;
} lrnde__cuda_kernel;

/* All that a model may have: an upper bound for the list. */
enum {
    LRNDE__CUDA_KERNELS = 0
#define LRNDE_X(name, doc) +5 /* of the forward and the adjoint system, of their starts, of the local step */
    LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
#define LRNDE_X(name, doc) +1
        LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
};

/* Lists the kernels the model has; returns how many. */
int32_t lrnde__cuda_kernels(const lrnde_model_desc *desc, lrnde__cuda_kernel *list);

size_t lrnde__cuda_tables_bytes(const lrnde__cuda_lengths *n);

/* Copies the tables to `host`, of which `device` is going to be a copy, and lets args point there. */
void lrnde__cuda_move_tables(const lrnde__cuda_lengths *n, lrnde_args *args, char *host, CUdeviceptr device);

#endif
