/* api.c - see api.h. */
#include "api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

/* nvrtcGetCUBIN and the architectures it is asked for came with 11.2; an older driver could not load what it makes. */
enum { OLDEST = 11020 };

void lrnde__cuda_explain(const lrnde__cuda_api *cu, CUresult error, const char *function, char *why, size_t size)
{
    const char *name = NULL, *meaning = NULL;
    cu->cuGetErrorName(error, &name);
    cu->cuGetErrorString(error, &meaning);
    snprintf(why, size, "%s: %s: %s", function, name ? name : "an unknown error", meaning ? meaning : "not described");
}

/* Every symbol; an old driver lacks some. */
static int resolve(void *library, lrnde__cuda_api *cu, char *why, size_t size)
{
#define LRNDE_X(name, suffix, arguments)                                                                                         \
    if (!(*(void **)&cu->name = dlsym(library, #name suffix))) {                                                                 \
        snprintf(why, size, "the NVIDIA driver is too old: it lacks %s", #name suffix);                                          \
        return -1;                                                                                                               \
    }
    LRNDE__CUDA_API(LRNDE_X)
#undef LRNDE_X
#define LRNDE_X(name, suffix, arguments) *(void **)&cu->name = dlsym(library, #name suffix);
    LRNDE__CUDA_API_OF_CLUSTERS(LRNDE_X)
    LRNDE__CUDA_API_OF_GRAPHS(LRNDE_X)
#undef LRNDE_X
    return 0;
}

static int load(lrnde__cuda_api *cu, char *why, size_t size)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(why, size, "no NVIDIA driver: %s", dlerror());
        return -1;
    }
    if (resolve(library, cu, why, size)) return -1;
    CUresult error = cu->cuDriverGetVersion(&cu->version);
    if (!error && cu->version < OLDEST) {
        snprintf(why, size, "the NVIDIA driver is too old: it supports CUDA %d.%d, %d.%d is needed", cu->version / 1000,
                 cu->version % 1000 / 10, OLDEST / 1000, OLDEST % 1000 / 10);
        return -1;
    }
    if (!error) error = cu->cuInit(0);
    if (error) lrnde__cuda_explain(cu, error, "cuInit", why, size);
    return error;
}

const lrnde__cuda_api *lrnde__cuda_load(char *why, size_t size)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static lrnde__cuda_api api;
    static int loaded;
    pthread_mutex_lock(&mutex);
    if (!loaded) loaded = !load(&api, why, size);
    int usable = loaded;
    pthread_mutex_unlock(&mutex);
    return usable ? &api : NULL;
}
