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

#define HEAD                                                                                                                     \
    "#define ENTRY extern \"C\" __global__ void __launch_bounds__(BLOCK)\n"                                                      \
    "enum { BLOCK = %d };\n"

char *lrnde__cuda_vectors(size_t real_bytes)
{
    return lrnde__format(HEAD "typedef %s REAL;\nenum { MOST_SUMS = %d, CHUNK = %d };\n%s\n", LRNDE__CUDA_VECTOR_BLOCK,
                         real_bytes == sizeof(float) ? "float" : "double", LRNDE_MAX_SUMS, LRNDE_CHUNK, vectors);
}

char *lrnde__cuda_normals(void)
{
    return lrnde__format(HEAD "#define FUNCTION static __device__ inline\n%s\n%s\n", LRNDE__CUDA_VECTOR_BLOCK, normal, normals);
}
