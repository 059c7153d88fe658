/*
 * arguments.h - the kernels of a model, their symbols, and the tables in their arguments.
 *
 * lrnde_args holds tables of pointers (carry, k, out, ...) and cot_sums, which lie on the host.  A kernel on a device needs
 * them there: how long each is depends on the kernel and on the system it belongs to, as the lines of kernel.h say.
 */
#ifndef LRNDE_CUDA_ARGUMENTS_H
#define LRNDE_CUDA_ARGUMENTS_H

#include "api.h"
#include "driver.h"

#define LRNDE__CUDA_TABLES(X)                                                                                                    \
    X(data)                                                                                                                      \
    X(constants)                                                                                                                 \
    X(carry)                                                                                                                     \
    X(next)                                                                                                                      \
    X(next_in)                                                                                                                   \
    X(k)                                                                                                                         \
    X(k_in)                                                                                                                      \
    X(noise)                                                                                                                     \
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

/* What is compiled together: see modules.h. */
typedef enum lrnde__cuda_part {
    LRNDE__CUDA_VECTORS,
    LRNDE__CUDA_NORMALS,
    LRNDE__CUDA_COMMON,
    LRNDE__CUDA_STEP,
    LRNDE__CUDA_STEP_TAPE,
    LRNDE__CUDA_RUN,
    LRNDE__CUDA_RUN_TAPE,
    LRNDE__CUDA_CLUSTER_RUN,
    LRNDE__CUDA_CLUSTER_RUN_TAPE,
    LRNDE__CUDA_REVERSE,
    LRNDE__CUDA_REV_STEP,
    LRNDE__CUDA_REV_STEP_FULL,
    LRNDE__CUDA_REV_LOCAL,
    LRNDE__CUDA_REV_STEP_LOCAL,
    LRNDE__CUDA_ADJOINT,
    LRNDE__CUDA_ADJOINT_STEP,
    LRNDE__CUDA_ADJOINT_RUN,
    LRNDE__CUDA_RARE,
    LRNDE__CUDA_PARTS
} lrnde__cuda_part;

/* An entry point. */
typedef struct lrnde__cuda_entry {
    char name[168]; /* empty: there is none */
    lrnde__cuda_part part;
    CUfunction function; /* NULL until the part is loaded */
    int threads;         /* of a block: the launch bound */
    int shared_bytes;    /* of a block, that the launch asks for */
} lrnde__cuda_entry;

typedef struct lrnde__cuda_kernel {
    const lrnde_kernel *kernel;
    lrnde__cuda_entry tile, shared;
    lrnde__cuda_lengths lengths;
} lrnde__cuda_kernel;

/* All that a model may have: an upper bound for the list. */
enum {
    LRNDE__CUDA_KERNELS = 0
#define LRNDE_X(name, doc) +LRNDE_MOST_SYSTEMS
    LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
#define LRNDE_X(name, doc) +1
        LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
};

/* "NAME_WHAT_f64ENDING", as the generator names a model's entry points. */
lrnde__cuda_entry lrnde__cuda_entry_of(const lrnde_model_desc *desc, const char *what, const char *ending, lrnde__cuda_part part);

/* Lists the kernels the model has; returns how many. */
int32_t lrnde__cuda_kernels(const lrnde_model_desc *desc, lrnde__cuda_kernel *list);

size_t lrnde__cuda_tables_bytes(const lrnde__cuda_lengths *n);

/* Copies the tables to `host`, of which `device` is going to be a copy, and lets args point there. */
void lrnde__cuda_move_tables(const lrnde__cuda_lengths *n, lrnde_args *args, char *host, CUdeviceptr device);

#endif
