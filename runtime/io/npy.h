/*
 * npy.h - arrays of double in NumPy's .npy format (version 1.0: '<f8' or '<f4', C order).
 */
#ifndef LRNDE_IO_NPY_H
#define LRNDE_IO_NPY_H

#include "lrnde.h"

enum { LRNDE__NPY_RANK = 4 };

typedef struct lrnde__npy {
    int32_t rank;
    int64_t shape[LRNDE__NPY_RANK];
    double *v; /* row-major */
} lrnde__npy;

/* The caller frees a->v. */
lrnde_status lrnde__npy_read(lrnde__npy *a, const char *path, lrnde_error *e);
lrnde_status lrnde__npy_write(const lrnde__npy *a, const char *path, lrnde_error *e);

#endif
