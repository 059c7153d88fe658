/* vectors.h - the kernels that the driver itself needs; see vectors.def and normals.def. */
#ifndef LRNDE_CUDA_VECTORS_H
#define LRNDE_CUDA_VECTORS_H

#include <stddef.h>

enum { LRNDE__CUDA_VECTOR_BLOCK = 256 }; /* threads of a block */

/* Their texts for float or double, which the caller frees; NULL: out of memory. */
char *lrnde__cuda_vectors(size_t real_bytes);
char *lrnde__cuda_normals(size_t real_bytes);

#endif
