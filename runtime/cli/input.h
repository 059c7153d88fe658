/* input.h - the samples that lrnde-solve is given: --input FILE.csv|npy. */
#ifndef LRNDE_CLI_INPUT_H
#define LRNDE_CLI_INPUT_H

#include "lrnde.h"

/* Numbers, one sample a row. */
typedef struct input_rows {
    int64_t rows, cols;
    double *v; /* (rows, cols); the caller frees it */
} input_rows;

/* A .npy array (cols), (rows, cols), or a CSV file, with or without a line of names. */
lrnde_status input_read(input_rows *in, const char *path, lrnde_error *e);

/*
 * Hands the rows to a solver whose batch they are: as "u0", or as the model's inputs side by side in their order (labels,
 * which only a loss reads, are left out).
 */
lrnde_status input_set(const input_rows *in, lrnde_solver *s, const char *path, lrnde_error *e);

#endif
