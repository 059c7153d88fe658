/*
 * memory.h - memory of a fake device, which the host cannot touch but while the stream runs, and pinned memory of the host.
 */
#ifndef CUDA_FAKES_MEMORY_H
#define CUDA_FAKES_MEMORY_H

#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What a real device would not forgive ends the process. */
#define MUST(condition, ...)                                                                                                     \
    do {                                                                                                                         \
        if (!(condition)) {                                                                                                      \
            fprintf(stderr, "fake libcuda: " __VA_ARGS__);                                                                       \
            fputc('\n', stderr);                                                                                                 \
            _Exit(9);                                                                                                            \
        }                                                                                                                        \
    } while (0)

static long setting(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

static _Thread_local CUcontext current;

enum { ARENA = 1 << 28, MOST_BLOCKS = 4096, PAGE = 4096, ALIGN = 64 };

typedef struct block {
    char *at;
    size_t bytes;
    int on_device;
} block;

static char *arena; /* closed to the host but while the stream runs */
static size_t reserved, held;
static block blocks[MOST_BLOCKS];
static int n_blocks;

/* Pages of a block, which it ends with. */
static void protect(const block *b, int how)
{
    const size_t before = (uintptr_t)b->at % PAGE;
    mprotect(b->at - before, before + b->bytes, how);
}

/* Everything; with FAKE_GUARDS what is allocated and no more, which takes longer. */
static void protect_all(int how)
{
    if (arena && !setting("FAKE_GUARDS", 0)) mprotect(arena, ARENA, how);
    for (int i = 0; i < n_blocks && setting("FAKE_GUARDS", 0); i++)
        if (blocks[i].on_device) protect(&blocks[i], how);
}

static const block *block_of(const void *p, size_t bytes)
{
    for (int i = 0; i < n_blocks; i++)
        if (blocks[i].at && (const char *)p >= blocks[i].at && (const char *)p + bytes <= blocks[i].at + blocks[i].bytes)
            return &blocks[i];
    return NULL;
}

static int on_device(const void *p, size_t bytes)
{
    const block *b = block_of(p, bytes);
    return b && b->on_device;
}

static void *there(CUdeviceptr p, size_t bytes)
{
    void *at = (void *)(uintptr_t)p;
    MUST(on_device(at, bytes), "%p, %zu bytes, is not memory of the device", at, bytes);
    return at;
}

static void hold(char *at, size_t bytes, int on_device)
{
    MUST(n_blocks < MOST_BLOCKS, "too many allocations");
    blocks[n_blocks++] = (block){at, bytes, on_device};
}

static void drop(const void *at, int on_device)
{
    int i = 0;
    while (i < n_blocks && !(blocks[i].at == at && blocks[i].on_device == on_device)) i++;
    MUST(i < n_blocks, "%p is freed but was not allocated", at);
    if (on_device) held -= blocks[i].bytes;
    blocks[i] = blocks[--n_blocks];
}

CUresult cuMemAlloc_v2(CUdeviceptr *memory, size_t bytes)
{
    MUST(current, "no context is current");
    if (!arena) arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (held + bytes > (size_t)setting("FAKE_MEMORY", ARENA)) return CUDA_ERROR_OUT_OF_MEMORY;
    MUST(reserved + bytes + PAGE <= ARENA, "the arena is used up");
    const size_t used = (bytes + ALIGN - 1) / ALIGN * ALIGN, pages = (used + PAGE - 1) / PAGE * PAGE;
    char *at = arena + reserved + pages - used;
    reserved += pages + PAGE; /* nothing is used twice, and there is space between */
    held += bytes;
    hold(at, bytes, 1);
    protect(&blocks[n_blocks - 1], PROT_READ | PROT_WRITE);
    memset(at, 0xff, bytes);
    protect(&blocks[n_blocks - 1], PROT_NONE);
    *memory = (CUdeviceptr)(uintptr_t)at;
    return 0;
}

CUresult cuMemHostAlloc(void **memory, size_t bytes, unsigned flags)
{
    (void)flags;
    MUST(current, "no context is current");
    *memory = malloc(bytes);
    hold(*memory, bytes, 0);
    return 0;
}

CUresult cuMemFreeHost(void *memory)
{
    drop(memory, 0);
    free(memory);
    return 0;
}

CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr *memory, void *host, unsigned flags)
{
    (void)flags;
    *memory = (CUdeviceptr)(uintptr_t)host;
    return 0;
}

static void pinned(const void *p, size_t bytes)
{
    const block *b = block_of(p, bytes);
    MUST(b && !b->on_device, "%p, %zu bytes, is not pinned memory", p, bytes);
}

#endif
