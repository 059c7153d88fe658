/* vectors.h - the kernels that the driver itself needs; see vectors.def. */
#ifndef LRNDE_CUDA_VECTORS_H
#define LRNDE_CUDA_VECTORS_H

#include <stddef.h>

enum { LRNDE__CUDA_SUMS_BLOCK = 256 }; /* threads of lrnde_sums, which is launched as one block */

/* Their text for float or double, which the caller frees; NULL: out of memory. */
char *lrnde__cuda_vectors(size_t real_bytes);

#endif
