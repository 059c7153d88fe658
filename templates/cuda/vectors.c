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
    "enum { BLOCK = %d };\n"                                                                                                     \
    "typedef %s REAL;\n"

static const char *real(size_t bytes)
{
    return bytes == sizeof(float) ? "float" : "double";
}

char *lrnde__cuda_vectors(size_t real_bytes)
{
    return lrnde__format(HEAD "enum { MOST_SUMS = %d, CHUNK = %d };\n%s\n", LRNDE__CUDA_VECTOR_BLOCK, real(real_bytes),
                         LRNDE_MAX_SUMS, LRNDE_CHUNK, vectors);
}

char *lrnde__cuda_normals(size_t real_bytes)
{
    return lrnde__format(HEAD "#define FUNCTION static __device__ inline\n%s\n%s\n", LRNDE__CUDA_VECTOR_BLOCK, real(real_bytes),
                         normal, normals);
}
