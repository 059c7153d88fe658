/*
 * compile.h - from source texts to code for the device: out of the cache, else by NVRTC and into the cache.
 *
 * The key is made of text, options, device, the driver's version and the compiler's path, size and time, so that a hit does
 * not even load the compiler.
 */
#ifndef LRNDE_CUDA_COMPILE_H
#define LRNDE_CUDA_COMPILE_H

#include "nvrtc.h"

/*
 * Compiles n programs, those that the cache lacks in parallel.  0 and their images, which the caller frees; or -1 and why: one
 * line, for a text that does not compile the first error with its line of the text.  That text and the compiler's whole log are
 * then left in the cache's folder.
 */
int lrnde__cuda_compile(const lrnde__cuda_program *programs, int n, lrnde__cuda_image *images, char *why, size_t size);

#endif
