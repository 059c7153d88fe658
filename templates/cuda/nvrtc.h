/*
 * nvrtc.h - NVIDIA's run-time compiler: where it is, and one run of it.
 *
 * Any version from 11.2 on that is not of a later CUDA than the driver's will do.  No header of the toolkit is needed, here or
 * by what is compiled.
 */
#ifndef LRNDE_CUDA_NVRTC_H
#define LRNDE_CUDA_NVRTC_H

#include "cache.h"

/* A source text and what it is to be compiled for. */
typedef struct lrnde__cuda_program {
    const char *name; /* messages call the text NAME.cu */
    const char *text;
    const char *const *options; /* further ones, NULL after the last; may be NULL */
    int capability;             /* of the device, 10 major + minor: 90 */
    int driver;                 /* CUDA version of the driver: 12040 */
} lrnde__cuda_program;

/*
 * The path of the library, which the caller frees: $LRNDE_NVRTC, else the newest that fits the driver in LD_LIBRARY_PATH, the
 * usual folders of the toolkit and of Python packages, and where the dynamic linker looks.  NULL: why says what is missing.
 */
char *lrnde__nvrtc_find(int driver, char *why, size_t size);

/* What every program is compiled with. */
extern const char *const lrnde__nvrtc_options[];

/*
 * Compiles for exactly that device, or, if the library is older than it, to PTX, from which the driver makes code.  -1: why
 * says what failed in one line; *log, which the caller frees, is the compiler's if it had something to say, else NULL.
 */
int lrnde__nvrtc_compile(const char *library, const lrnde__cuda_program *p, lrnde__cuda_image *image, char **log, char *why,
                         size_t size);

/* What came of a program: status and what lrnde__nvrtc_compile says.  The holder frees image.bytes and log. */
typedef struct lrnde__nvrtc_outcome {
    int status;
    lrnde__cuda_image image;
    char *log, why[256];
} lrnde__nvrtc_outcome;

/* Compiles n programs, several in processes of their own: the compiler does one at a time in a process.  See parallel.c. */
void lrnde__nvrtc_compile_all(const char *library, const lrnde__cuda_program *const *programs, int n,
                              lrnde__nvrtc_outcome *outcomes);

#endif
