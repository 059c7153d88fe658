/*
 * allocations.h - how often the process has allocated, for tests that it does not.  Included by the one file of a program.
 *
 * A sanitizer has its own allocator, and tests of leaks of its own: there the count stays 0.
 */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

#ifdef __SANITIZE_ADDRESS__
static const long allocations;
#else
#include <stddef.h>

static long allocations;
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void *malloc(size_t n)
{
    return allocations++, __libc_malloc(n);
}
void *calloc(size_t n, size_t m)
{
    return allocations++, __libc_calloc(n, m);
}
void *realloc(void *block, size_t n)
{
    return allocations++, __libc_realloc(block, n);
}
void *aligned_alloc(size_t align, size_t n)
{
    return allocations++, __libc_memalign(align, n);
}
#endif

#endif
