/*
 * memory.c - everything a solver holds, in one list: destroying a solver needs no knowledge of what it had.
 *
 * Device memory counts against options.memory_limit.  All of it starts zeroed.
 */
#include "solve/solver.h"

#include <stdlib.h>
#include <string.h>

static void *hold(lrnde_solver *s, void *memory, size_t bytes, int on_device)
{
    lrnde__block *block = memory ? malloc(sizeof *block) : NULL;
    if (!block) {
        if (memory && on_device) s->driver->free(s->device, memory);
        if (memory && !on_device) free(memory);
        lrnde__fail(s, LRNDE_ERR_MEMORY, "out of memory: %.1f MiB more than the %.1f MiB held", (double)bytes / 0x1p20,
                    (double)s->memory / 0x1p20);
        return NULL;
    }
    *block = (lrnde__block){.next = s->blocks, .memory = memory, .bytes = bytes, .on_device = on_device};
    s->blocks = block;
    return memory;
}

void *lrnde__host(lrnde_solver *s, size_t bytes)
{
    return hold(s, calloc(1, bytes ? bytes : 1), bytes, 0);
}

int lrnde__fits(const lrnde_solver *s, size_t bytes)
{
    size_t limit = s->options.memory_limit;
    return !limit || (s->memory <= limit && bytes <= limit - s->memory);
}

void *lrnde__device(lrnde_solver *s, size_t bytes)
{
    if (bytes == 0) bytes = 1; /* arrays of no elements have an address too */
    if (!lrnde__fits(s, bytes)) lrnde__inputs_give_up(s);
    if (!lrnde__fits(s, bytes)) {
        lrnde__fail(s, LRNDE_ERR_MEMORY, "memory limit: %.3g MiB more are needed, %.3g of %.3g MiB are held",
                    (double)bytes / 0x1p20, (double)s->memory / 0x1p20, (double)s->options.memory_limit / 0x1p20);
        return NULL;
    }
    void *memory = s->driver->alloc(s->device, bytes);
    if (!memory && lrnde__inputs_give_up(s)) memory = s->driver->alloc(s->device, bytes);
    if (!memory && lrnde__wait(s)) return NULL;
    memory = hold(s, memory, bytes, 1);
    if (memory) s->memory += bytes;
    if (s->memory > s->peak) s->peak = s->memory;
    return memory;
}

static void drop(lrnde_solver *s, lrnde__block *block)
{
    if (block->on_device) {
        s->driver->free(s->device, block->memory);
        s->memory -= block->bytes;
    } else {
        free(block->memory);
    }
    free(block);
}

void lrnde__release(lrnde_solver *s, void *memory)
{
    for (lrnde__block **at = &s->blocks; memory && *at; at = &(*at)->next)
        if ((*at)->memory == memory) {
            lrnde__block *block = *at;
            *at = block->next;
            drop(s, block);
            return;
        }
}

void lrnde__release_all(lrnde_solver *s)
{
    while (s->blocks) {
        lrnde__block *block = s->blocks;
        s->blocks = block->next;
        drop(s, block);
    }
}

void *lrnde__grow(lrnde_solver *s, void *old, int64_t used, int64_t n, size_t element)
{
    void *p = lrnde__host(s, (size_t)n * element);
    if (!p) return NULL;
    if (old) memcpy(p, old, (size_t)used * element);
    lrnde__release(s, old);
    return p;
}

static size_t aligned(const lrnde_solver *s, int64_t elements)
{
    return ((size_t)elements * (size_t)s->desc->real_bytes + 63) / 64 * 64;
}

size_t lrnde__sample_bytes(const lrnde_solver *s, int64_t size)
{
    return aligned(s, s->lanes * size);
}

size_t lrnde__array_bytes(const lrnde_solver *s, const lrnde_array_desc *array)
{
    return array->shared ? aligned(s, array->size) : lrnde__sample_bytes(s, array->size);
}

void **lrnde__arrays(lrnde_solver *s, const lrnde_array_desc *desc, int32_t n)
{
    void **table = lrnde__host(s, (size_t)n * sizeof *table);
    for (int32_t i = 0; table && i < n; i++)
        if (!(table[i] = lrnde__device(s, lrnde__array_bytes(s, &desc[i])))) return NULL;
    return table;
}

void **lrnde__state_arrays(lrnde_solver *s, int64_t n)
{
    void **table = lrnde__host(s, (size_t)n * sizeof *table);
    for (int64_t i = 0; table && i < n; i++)
        if (!(table[i] = lrnde__device(s, lrnde__sample_bytes(s, s->desc->state)))) return NULL;
    return table;
}
