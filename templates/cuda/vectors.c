/* vectors.c - see vectors.h. */
#include "vectors.h"

#include "io/file.h"
#include "kernel.h"

#define VECTORS(...) static const char vectors[] = #__VA_ARGS__;
#include "vectors.def"
#undef VECTORS
#define NORMAL(...) static const char normal[] = #__VA_ARGS__;
#include "io/normal.def"
#undef NORMAL
#define NORMALS(...) static const char normals[] = #__VA_ARGS__;
#include "normals.def"
#undef NORMALS

char *lrnde__cuda_vectors(size_t real_bytes)
{
    return lrnde__format("#define ENTRY extern \"C\" __global__ void __launch_bounds__(BLOCK)\n"
                         "#define FUNCTION static __device__ inline\n"
                         "typedef %s REAL;\n"
                         "enum { BLOCK = %d, MOST_SUMS = %d, CHUNK = %d };\n%s\n%s\n%s\n",
                         real_bytes == sizeof(float) ? "float" : "double", LRNDE__CUDA_VECTOR_BLOCK, LRNDE_MAX_SUMS, LRNDE_CHUNK,
                         vectors, normal, normals);
}
