/* cache.c - see cache.h. */
#include "cache.h"

#include "io/file.h"
#include "io/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct header {
    char magic[16];
    uint64_t size, hash;
} header;

static header header_of(uint64_t key, const char *bytes, size_t size)
{
    return (header){.magic = "lrnde cubin 1", .size = size, .hash = lrnde__hash_bytes(key, bytes, size)};
}

static int is_ours(const char *folder)
{
    struct stat s;
    return !lstat(folder, &s) && S_ISDIR(s.st_mode) && s.st_uid == geteuid() && !(s.st_mode & (S_IWGRP | S_IWOTH));
}

char *lrnde__cuda_cache_path(const char *name, uint64_t key, const char *extension)
{
    lrnde_error e;
    char *cache = lrnde__cache_folder(&e), *folder = cache ? lrnde__format("%s/cuda", cache) : NULL, *path = NULL;
    if (folder) mkdir(folder, 0700);
    if (folder && is_ours(folder)) path = lrnde__format("%s/%s-%016llx.%s", folder, name, (unsigned long long)key, extension);
    free(folder);
    free(cache);
    return path;
}

int lrnde__cuda_cache_load(const char *path, uint64_t key, lrnde__cuda_image *image)
{
    lrnde_error e;
    char *file;
    size_t size;
    if (lrnde__file_read(path, &file, &size, &e)) return -1;
    if (size >= sizeof(header)) {
        header expected = header_of(key, file + sizeof(header), size - sizeof(header));
        if (!memcmp(file, &expected, sizeof expected)) {
            image->size = size - sizeof(header);
            image->bytes = memmove(file, file + sizeof(header), image->size + 1);
            return 0;
        }
    }
    free(file);
    return -1;
}

void lrnde__cuda_cache_store(const char *path, uint64_t key, const lrnde__cuda_image *image)
{
    lrnde__output o;
    lrnde_error e;
    header h = header_of(key, image->bytes, image->size);
    if (lrnde__output_open(&o, path, &e)) return;
    fwrite(&h, sizeof h, 1, o.to);
    fwrite(image->bytes, image->size, 1, o.to);
    lrnde__output_close(&o, &e);
}
