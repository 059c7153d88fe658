/*
 * modules.h - a model's entry points on a device: compiled when one is needed, in parts.
 *
 * A part is what one run of the compiler makes.  With the first entry that is needed of a group of parts the whole group is
 * compiled, its parts at the same time:
 *   solving    at the beginning: what every solve of the model needs, the driver's own kernels among it
 *   training   the way back, and the solves whose tapes it reads
 *   the rest   each part by itself
 */
#ifndef LRNDE_CUDA_MODULES_H
#define LRNDE_CUDA_MODULES_H

#include "arguments.h"

/* How steps are taken by clusters (cluster.lua). */
typedef struct lrnde__cuda_cluster {
    int blocks; /* 0: they are not */
    int tiles;  /* whose samples a cluster has at a time */
} lrnde__cuda_cluster;

typedef struct lrnde__cuda_modules {
    const lrnde__cuda_api *cu;
    const lrnde_model_desc *desc;
    const char *text;
    lrnde__cuda_cluster cluster;
    int tensor_cores; /* have products: none 0, in 3xtf32 1, in tf32 2 */
    int capability;
    lrnde__cuda_kernel kernels[LRNDE__CUDA_KERNELS];
    int32_t n_kernels;
    lrnde__cuda_entry run, run_tape, cluster_run, cluster_run_tape, adjoint_run; /* many steps in a launch, if there is such */
    lrnde__cuda_entry add, sums, squares, combine, copy, zero, normals;          /* vectors.def; normals.def */
    CUmodule modules[LRNDE__CUDA_PARTS];
} lrnde__cuda_modules;

/* Lists the entries of a text and compiles those of solving.  0, or -1 and why; in both cases close frees what there is. */
int lrnde__cuda_modules_open(lrnde__cuda_modules *m, const lrnde__cuda_api *cu, const lrnde_model_desc *desc,
                             const lrnde_text *text, int capability, char *why, size_t size);
void lrnde__cuda_modules_close(lrnde__cuda_modules *m);

/* Sees to it that the entry's function is there; an entry that is not in use needs none. */
int lrnde__cuda_modules_need(lrnde__cuda_modules *m, const lrnde__cuda_entry *entry, char *why, size_t size);

#endif
