/* vectors.c - see vectors.h. */
#include "vectors.h"

#include "io/file.h"
#include "kernel.h"

#define VECTORS(...) static const char text[] = #__VA_ARGS__;
#include "vectors.def"
#undef VECTORS

char *lrnde__cuda_vectors(size_t real_bytes)
{
    return lrnde__format("#define ENTRY extern \"C\" __global__ void __launch_bounds__(BLOCK)\n"
                         "typedef %s REAL;\n"
                         "enum { BLOCK = %d, MOST_SUMS = %d, CHUNK = %d };\n%s\n",
                         real_bytes == sizeof(float) ? "float" : "double", LRNDE__CUDA_VECTOR_BLOCK, LRNDE_MAX_SUMS, LRNDE_CHUNK,
                         text);
}
