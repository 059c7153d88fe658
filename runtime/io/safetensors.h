/*
 * safetensors.h - a file of named tensors and named strings, in the safetensors format: 8 bytes of header length (little-endian),
 * a JSON header {"name": {"dtype", "shape", "data_offsets"}, ..., "__metadata__": {strings}}, then the data.
 *
 * Of the format's types F32 and F64 are known.  A machine that stores numbers most significant byte first is not supported.
 */
#ifndef LRNDE_IO_SAFETENSORS_H
#define LRNDE_IO_SAFETENSORS_H

#include "lrnde.h"

typedef struct lrnde__tensor {
    char *name;
    int32_t real_bytes; /* 4: F32, 8: F64 */
    int32_t rank;
    int64_t shape[4];
    size_t bytes;
    void *data; /* row-major */
} lrnde__tensor;

typedef struct lrnde__tensors {
    int32_t n_tensors, n_strings;
    lrnde__tensor *tensors;
    struct lrnde__string {
        char *key, *value;
    } * strings;
} lrnde__tensors;

/* Start with {0}.  free is safe after any of these has failed. */
void lrnde__tensors_free(lrnde__tensors *f);

/* Adds a tensor of zeros, and a string (copied). */
lrnde_status lrnde__tensors_add(lrnde__tensors *f, const char *name, int32_t real_bytes, int32_t rank, const int64_t *shape,
                                lrnde__tensor **added, lrnde_error *e);
lrnde_status lrnde__tensors_add_string(lrnde__tensors *f, const char *key, const char *value, lrnde_error *e);

/* NULL if there is none. */
lrnde__tensor *lrnde__tensors_find(const lrnde__tensors *f, const char *name);
const char *lrnde__tensors_string(const lrnde__tensors *f, const char *key);

lrnde_status lrnde__tensors_read(lrnde__tensors *f, const char *path, lrnde_error *e);
/* Atomic: the file is the old one or the new one. */
lrnde_status lrnde__tensors_write(const lrnde__tensors *f, const char *path, lrnde_error *e);

#endif
