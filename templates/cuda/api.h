/*
 * api.h - NVIDIA's driver library as far as it is used here, declared by ourselves: building needs no toolkit, and one binary
 * runs with a GPU and without.
 *
 * Every function of the library returns a CUresult, 0 for success; a suffix is part of the symbol, not of the name.
 */
#ifndef LRNDE_CUDA_API_H
#define LRNDE_CUDA_API_H

#include <stddef.h>
#include <stdint.h>

typedef int CUresult, CUdevice;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphNode_st *CUgraphNode;
typedef struct CUgraphExec_st *CUgraphExec;

enum {
    CUDA_ERROR_OUT_OF_MEMORY = 2,
    CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
    CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH = 95,
    CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
    CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 0,
    CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8,
    CU_LAUNCH_ATTRIBUTE_COOPERATIVE = 2,
    CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION = 4,
    CU_MEMHOSTALLOC_DEVICEMAP = 2,
    CU_STREAM_NON_BLOCKING = 1,
};

typedef struct CUlaunchAttribute {
    int id;
    char pad[4];
    union {
        int cooperative;
        struct {
            unsigned x, y, z;
        } cluster;
        char pad[64];
    } value;
} CUlaunchAttribute;

typedef struct CUlaunchConfig {
    unsigned gridDimX, gridDimY, gridDimZ, blockDimX, blockDimY, blockDimZ, sharedMemBytes;
    CUstream hStream;
    CUlaunchAttribute *attrs;
    unsigned numAttrs;
} CUlaunchConfig;

/* What cuda.h calls CUDA_KERNEL_NODE_PARAMS_v1, which the functions without a suffix take. */
typedef struct CUkernelNode {
    CUfunction func;
    unsigned gridDimX, gridDimY, gridDimZ, blockDimX, blockDimY, blockDimZ, sharedMemBytes;
    void **kernelParams, **extra;
} CUkernelNode;

#define LRNDE__CUDA_API(X)                                                                                                       \
    X(cuDriverGetVersion, "", (int *version))                                                                                    \
    X(cuInit, "", (unsigned flags))                                                                                              \
    X(cuGetErrorName, "", (CUresult error, const char **text))                                                                   \
    X(cuGetErrorString, "", (CUresult error, const char **text))                                                                 \
    X(cuDeviceGetCount, "", (int *count))                                                                                        \
    X(cuDeviceGet, "", (CUdevice * device, int ordinal))                                                                         \
    X(cuDeviceGetAttribute, "", (int *value, int attribute, CUdevice device))                                                    \
    X(cuDevicePrimaryCtxRetain, "", (CUcontext * context, CUdevice device))                                                      \
    X(cuDevicePrimaryCtxRelease, "_v2", (CUdevice device))                                                                       \
    X(cuCtxSetCurrent, "", (CUcontext context))                                                                                  \
    X(cuModuleLoadData, "", (CUmodule * module, const void *image))                                                              \
    X(cuModuleUnload, "", (CUmodule module))                                                                                     \
    X(cuModuleGetFunction, "", (CUfunction * function, CUmodule module, const char *name))                                       \
    X(cuFuncGetAttribute, "", (int *value, int attribute, CUfunction function))                                                  \
    X(cuMemAlloc, "_v2", (CUdeviceptr * memory, size_t bytes))                                                                   \
    X(cuMemFree, "_v2", (CUdeviceptr memory))                                                                                    \
    X(cuMemHostAlloc, "", (void **memory, size_t bytes, unsigned flags))                                                         \
    X(cuMemHostGetDevicePointer, "_v2", (CUdeviceptr * memory, void *host, unsigned flags))                                      \
    X(cuMemFreeHost, "", (void *memory))                                                                                         \
    X(cuMemcpyHtoDAsync, "_v2", (CUdeviceptr to, const void *from, size_t bytes, CUstream stream))                               \
    X(cuMemcpyDtoHAsync, "_v2", (void *to, CUdeviceptr from, size_t bytes, CUstream stream))                                     \
    X(cuMemsetD8Async, "", (CUdeviceptr memory, unsigned char byte, size_t bytes, CUstream stream))                              \
    X(cuStreamCreate, "", (CUstream * stream, unsigned flags))                                                                   \
    X(cuStreamDestroy, "_v2", (CUstream stream))                                                                                 \
    X(cuStreamSynchronize, "", (CUstream stream))                                                                                \
    X(cuLaunchKernel, "",                                                                                                        \
      (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,               \
       unsigned block_z, unsigned shared_bytes, CUstream stream, void **arguments, void **extra))                                \
    X(cuLaunchCooperativeKernel, "",                                                                                             \
      (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,               \
       unsigned block_z, unsigned shared_bytes, CUstream stream, void **arguments))                                              \
    X(cuOccupancyMaxActiveBlocksPerMultiprocessor, "", (int *blocks, CUfunction function, int threads, size_t shared_bytes))

/* What only drivers from CUDA 11.8 on have, NULL in others: clusters. */
#define LRNDE__CUDA_API_OF_CLUSTERS(X)                                                                                           \
    X(cuFuncSetAttribute, "", (CUfunction function, int attribute, int value))                                                   \
    X(cuOccupancyMaxActiveClusters, "", (int *clusters, CUfunction function, const CUlaunchConfig *shape))                       \
    X(cuLaunchKernelEx, "", (const CUlaunchConfig *shape, CUfunction function, void **arguments, void **extra))

/* What drivers before CUDA 11.4 lack, in part: graphs; NULL there. */
#define LRNDE__CUDA_API_OF_GRAPHS(X)                                                                                             \
    X(cuGraphCreate, "", (CUgraph * graph, unsigned flags))                                                                      \
    X(cuGraphAddKernelNode, "",                                                                                                  \
      (CUgraphNode * node, CUgraph graph, const CUgraphNode *after, size_t n, const CUkernelNode *params))                       \
    X(cuGraphInstantiateWithFlags, "", (CUgraphExec * exec, CUgraph graph, unsigned long long flags))                            \
    X(cuGraphExecKernelNodeSetParams, "", (CUgraphExec exec, CUgraphNode node, const CUkernelNode *params))                      \
    X(cuGraphLaunch, "", (CUgraphExec exec, CUstream stream))                                                                    \
    X(cuGraphExecDestroy, "", (CUgraphExec exec))                                                                                \
    X(cuGraphDestroy, "", (CUgraph graph))

typedef struct lrnde__cuda_api {
#define LRNDE_X(name, suffix, arguments) CUresult(*name) arguments;
    LRNDE__CUDA_API(LRNDE_X)
    LRNDE__CUDA_API_OF_CLUSTERS(LRNDE_X)
    LRNDE__CUDA_API_OF_GRAPHS(LRNDE_X)
#undef LRNDE_X
    int version; /* the CUDA that the driver supports, 1000 major + 10 minor */
} lrnde__cuda_api;

/* libcuda, initialised, loaded once for the process and never unloaded.  NULL: why says what is in the way. */
const lrnde__cuda_api *lrnde__cuda_load(char *why, size_t size);

/* One line: which function failed, the error's name and what it means. */
void lrnde__cuda_explain(const lrnde__cuda_api *cu, CUresult error, const char *function, char *why, size_t size);

#endif
