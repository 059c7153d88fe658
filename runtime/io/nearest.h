/* nearest.h - the known name a misspelt one was probably meant to be. */
#ifndef LRNDE_IO_NEAREST_H
#define LRNDE_IO_NEAREST_H

#include <stddef.h>

/* names: n pointers, `stride` bytes from one to the next (so a table's name column will do).  NULL if n is 0. */
const char *lrnde__nearest(const char *word, const void *names, size_t n, size_t stride);

#endif
