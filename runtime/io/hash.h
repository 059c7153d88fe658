/* hash.h - FNV-1a, for the names of files that are kept in a cache.  Start from LRNDE__HASH and feed every ingredient. */
#ifndef LRNDE_IO_HASH_H
#define LRNDE_IO_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LRNDE__HASH 0xcbf29ce484222325u

static inline uint64_t lrnde__hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

/* With its NUL, so that "ab", "c" is not "a", "bc". */
static inline uint64_t lrnde__hash_text(uint64_t hash, const char *text)
{
    return lrnde__hash_bytes(hash, text, strlen(text) + 1);
}

#endif
