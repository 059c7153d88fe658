/*
 * cache.h - compiled kernels on disk, in the folder "cuda" of the cache.
 *
 * A file is named by the key of what made it, appears by rename, and carries its length and a hash: any number of processes
 * may read and write at once, and a damaged file is as good as none.  What is loaded will run, so the folder is used only if
 * it is ours and nobody else can write to it.  Without a usable folder everything works, uncached.
 */
#ifndef LRNDE_CUDA_CACHE_H
#define LRNDE_CUDA_CACHE_H

#include <stddef.h>
#include <stdint.h>

/* Code for a device, cubin or PTX; bytes[size] is NUL.  The holder frees bytes. */
typedef struct lrnde__cuda_image {
    char *bytes;
    size_t size;
} lrnde__cuda_image;

/* The path of NAME-KEY.EXTENSION, which the caller frees; NULL without a usable folder. */
char *lrnde__cuda_cache_path(const char *name, uint64_t key, const char *extension);

/* 0, or -1 if there is no such file or it is not what was stored under this key. */
int lrnde__cuda_cache_load(const char *path, uint64_t key, lrnde__cuda_image *image);
void lrnde__cuda_cache_store(const char *path, uint64_t key, const lrnde__cuda_image *image);

#endif
