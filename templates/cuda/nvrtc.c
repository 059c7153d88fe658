/* nvrtc.c - see nvrtc.h. */
#include "nvrtc.h"

#include "io/file.h"

#include <dlfcn.h>
#include <errno.h>
#include <glob.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- where it is ---- */

/* A leading $NAME stands for each of its parts. */
static const char *const FOLDERS[] = {
    "$LD_LIBRARY_PATH",
    "$CUDA_HOME/lib64",
    "$CUDA_PATH/lib64",
    "/usr/local/cuda*/lib64",
    "/usr/local/cuda*/lib",
    "/usr/local/cuda*/targets/*-linux/lib",
    "/opt/cuda/lib64",
    "/usr/lib/*-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "$VIRTUAL_ENV/lib/python3*/site-packages/nvidia/*/lib",
    "$CONDA_PREFIX/lib",
    "$HOME/.local/lib/python3*/site-packages/nvidia/*/lib",
    "/usr/local/lib/python3*/*-packages/nvidia/*/lib",
};

/* The last CUDA whose library was named after a minor version, by which all of 11.2 to 11.8 go. */
enum { LAST_WITH_MINOR = 11 };

typedef struct soname {
    char text[32];
} soname;

static soname soname_of(int major)
{
    soname name;
    snprintf(name.text, sizeof name.text, major == LAST_WITH_MINOR ? "libnvrtc.so.%d.2" : "libnvrtc.so.%d", major);
    return name;
}

static char *first_match(const char *folder, int length, const char *rest, const char *file)
{
    glob_t found;
    char *pattern = lrnde__format("%.*s%s/%s", length, folder, rest, file), *path = NULL;
    if (pattern && !glob(pattern, 0, NULL, &found)) {
        path = strdup(found.gl_pathv[0]);
        globfree(&found);
    }
    free(pattern);
    return path;
}

static char *in_folder(const char *folder, const char *file)
{
    if (*folder != '$') return first_match(folder, 0, folder, file);
    int name = (int)strcspn(folder, "/");
    char variable[32];
    snprintf(variable, sizeof variable, "%.*s", name - 1, folder + 1);
    const char *part = getenv(variable);
    char *path = NULL;
    while (part && *part && !path) {
        int length = (int)strcspn(part, ":");
        if (length > 0) path = first_match(part, length, folder + name, file);
        part += length + (part[length] == ':');
    }
    return path;
}

/* Where the dynamic linker finds it; this loads it. */
static char *by_linker(const char *file)
{
    struct link_map *map;
    void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL);
    return library && !dlinfo(library, RTLD_DI_LINKMAP, &map) ? strdup(map->l_name) : NULL;
}

char *lrnde__nvrtc_find(int driver, char *why, size_t size)
{
    const char *given = getenv("LRNDE_NVRTC");
    if (given && *given) {
        if (!access(given, R_OK)) return strdup(given);
        snprintf(why, size, "NVRTC: %s: %s", given, strerror(errno));
        return NULL;
    }
    for (int major = driver / 1000; major >= LAST_WITH_MINOR; major--) {
        soname name = soname_of(major);
        char *path = NULL;
        for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS && !path; i++) path = in_folder(FOLDERS[i], name.text);
        if (!path) path = by_linker(name.text);
        if (path) return path;
    }
    snprintf(why, size, "no NVRTC: neither %s nor an older one was found ($LRNDE_NVRTC names the file)",
             soname_of(driver / 1000).text);
    return NULL;
}

/* ---- a run ---- */

typedef struct program *nvrtc_program;

#define NVRTC(X)                                                                                                                 \
    X(int, nvrtcVersion, (int *major, int *minor))                                                                               \
    X(const char *, nvrtcGetErrorString, (int error))                                                                            \
    X(int, nvrtcGetNumSupportedArchs, (int *n))                                                                                  \
    X(int, nvrtcGetSupportedArchs, (int *archs))                                                                                 \
    X(int, nvrtcCreateProgram,                                                                                                   \
      (nvrtc_program * p, const char *text, const char *name, int n, const char *const *headers, const char *const *names))      \
    X(int, nvrtcDestroyProgram, (nvrtc_program * p))                                                                             \
    X(int, nvrtcCompileProgram, (nvrtc_program p, int n, const char *const *options))                                            \
    X(int, nvrtcGetProgramLogSize, (nvrtc_program p, size_t * size))                                                             \
    X(int, nvrtcGetProgramLog, (nvrtc_program p, char *log))                                                                     \
    X(int, nvrtcGetCUBINSize, (nvrtc_program p, size_t * size))                                                                  \
    X(int, nvrtcGetCUBIN, (nvrtc_program p, char *cubin))                                                                        \
    X(int, nvrtcGetPTXSize, (nvrtc_program p, size_t * size))                                                                    \
    X(int, nvrtcGetPTX, (nvrtc_program p, char *ptx))

typedef struct nvrtc {
#define LRNDE_X(type, name, arguments) type(*name) arguments;
    NVRTC(LRNDE_X)
#undef LRNDE_X
    int version; /* 1000 major + 10 minor */
} nvrtc;

static int load(const char *path, int driver, nvrtc *rtc, char *why, size_t size)
{
    int major, minor;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(why, size, "NVRTC: %s", dlerror());
        return -1;
    }
#define LRNDE_X(type, name, arguments)                                                                                           \
    if (!(*(void **)&rtc->name = dlsym(library, #name))) {                                                                       \
        snprintf(why, size, "%s is no NVRTC from 11.2 on: it lacks %s", path, #name);                                            \
        return -1;                                                                                                               \
    }
    NVRTC(LRNDE_X)
#undef LRNDE_X
    rtc->nvrtcVersion(&major, &minor);
    rtc->version = 1000 * major + 10 * minor;
    if (major <= driver / 1000) return 0;
    snprintf(why, size, "%s is of CUDA %d.%d, later than the NVIDIA driver's %d.%d", path, major, minor, driver / 1000,
             driver % 1000 / 10);
    return -1;
}

typedef struct target {
    int is_exact;
    char option[64];
} target;

/* The device itself, or the latest architecture before it. */
static int choose_target(const nvrtc *rtc, const lrnde__cuda_program *p, target *t, char *why, size_t size)
{
    int n = 0, best = 0;
    rtc->nvrtcGetNumSupportedArchs(&n);
    int *known = calloc((size_t)n + 1, sizeof *known);
    if (known) rtc->nvrtcGetSupportedArchs(known);
    for (int i = 0; known && i < n; i++)
        if (known[i] <= p->capability && known[i] > best) best = known[i];
    free(known);
    t->is_exact = best == p->capability;
    snprintf(t->option, sizeof t->option, "--gpu-architecture=%s_%d", t->is_exact ? "sm" : "compute", best);
    if (!best)
        snprintf(why, size, "NVRTC %d.%d no longer compiles for this device, of compute capability %d.%d", rtc->version / 1000,
                 rtc->version % 1000 / 10, p->capability / 10, p->capability % 10);
    else if (!t->is_exact && rtc->version > p->driver)
        snprintf(why, size,
                 "NVRTC %d.%d does not know this device, of compute capability %d.%d, and the driver (%d.%d) not its PTX",
                 rtc->version / 1000, rtc->version % 1000 / 10, p->capability / 10, p->capability % 10, p->driver / 1000,
                 p->driver % 1000 / 10);
    else
        return 0;
    return -1;
}

/* As the generated C is compiled: no contraction but where the text says fma. */
const char *const lrnde__nvrtc_options[] = {"--std=c++14", "--fmad=false", NULL};

static int count(const char *const *options)
{
    int n = 0;
    while (options && options[n]) n++;
    return n;
}

static int run(const nvrtc *rtc, nvrtc_program program, const lrnde__cuda_program *p, const target *t, lrnde__cuda_image *image)
{
    int n = count(lrnde__nvrtc_options), further = count(p->options), error;
    const char **options = calloc((size_t)(1 + n + further), sizeof *options);
    if (!options) return 0; /* and no image */
    options[0] = t->option;
    memcpy(options + 1, lrnde__nvrtc_options, (size_t)n * sizeof *options);
    if (further) memcpy(options + 1 + n, p->options, (size_t)further * sizeof *options);
    error = rtc->nvrtcCompileProgram(program, 1 + n + further, options);
    free(options);
    if (!error) error = (t->is_exact ? rtc->nvrtcGetCUBINSize : rtc->nvrtcGetPTXSize)(program, &image->size);
    if (error || !(image->bytes = calloc(1, image->size + 1))) return error;
    return (t->is_exact ? rtc->nvrtcGetCUBIN : rtc->nvrtcGetPTX)(program, image->bytes);
}

static char *log_of(const nvrtc *rtc, nvrtc_program program)
{
    size_t size;
    char *log = !rtc->nvrtcGetProgramLogSize(program, &size) && size > 1 ? calloc(1, size + 1) : NULL;
    if (log) rtc->nvrtcGetProgramLog(program, log);
    return log;
}

int lrnde__nvrtc_compile(const char *library, const lrnde__cuda_program *p, lrnde__cuda_image *image, char **log, char *why,
                         size_t size)
{
    nvrtc rtc;
    target t;
    nvrtc_program program;
    *log = NULL;
    *image = (lrnde__cuda_image){0};
    if (load(library, p->driver, &rtc, why, size) || choose_target(&rtc, p, &t, why, size)) return -1;
    char *file = lrnde__format("%s.cu", p->name);
    int error = rtc.nvrtcCreateProgram(&program, p->text, file, 0, NULL, NULL);
    free(file);
    if (!error) {
        error = run(&rtc, program, p, &t, image);
        *log = log_of(&rtc, program);
        rtc.nvrtcDestroyProgram(&program);
    }
    if (!error && image->bytes) return 0;
    snprintf(why, size, "%s.cu: NVRTC %d.%d: %s", p->name, rtc.version / 1000, rtc.version % 1000 / 10,
             error ? rtc.nvrtcGetErrorString(error) : "out of memory");
    free(image->bytes);
    image->bytes = NULL;
    return -1;
}
