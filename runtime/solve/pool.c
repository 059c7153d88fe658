/*
 * pool.c - groups of arrays, all alike: what the slots of a record are made of.
 *
 * Groups are cut from chunks, each a 32nd of what the pool has: a pool is at most 3 % bigger than it needs to be and seldom
 * asks for memory.  A group that is given back is handed out again; chunks stay until the pool is emptied.
 *
 * A group is a table of pointers, one an array; one more leads to the next unused group.
 */
#include "solve/solver.h"

enum { SHARE = 32 };

struct lrnde__chunk {
    lrnde__chunk *next;
    void *memory;
    int64_t groups;
    void *pointers[];
};

size_t lrnde__pool_group_bytes(const lrnde__pool *p)
{
    size_t bytes = 0;
    for (int32_t i = 0; i < p->arrays; i++) bytes += p->bytes[i];
    return bytes;
}

void lrnde__pool_give(lrnde__pool *p, void **group)
{
    group[p->arrays] = p->unused;
    p->unused = group;
    p->left++;
}

static void give_chunk(lrnde__pool *p, lrnde__chunk *chunk)
{
    for (int64_t i = chunk->groups; i-- > 0;) lrnde__pool_give(p, chunk->pointers + i * (p->arrays + 1));
}

void lrnde__pool_reset(lrnde__pool *p)
{
    p->unused = NULL;
    p->left = 0;
    for (lrnde__chunk *chunk = p->chunks; chunk; chunk = chunk->next) give_chunk(p, chunk);
}

void lrnde__pool_empty(lrnde_solver *s, lrnde__pool *p)
{
    while (p->chunks) {
        lrnde__chunk *chunk = p->chunks;
        p->chunks = chunk->next;
        lrnde__release(s, chunk->memory);
        lrnde__release(s, chunk);
    }
    p->groups = p->left = 0;
    p->unused = NULL;
}

lrnde_status lrnde__pool_reserve(lrnde_solver *s, lrnde__pool *p, int64_t groups)
{
    int64_t more = groups - p->groups;
    if (more <= 0) return LRNDE_OK;
    lrnde__chunk *chunk = lrnde__host(s, sizeof *chunk + (size_t)(more * (p->arrays + 1)) * sizeof(void *));
    char *memory = chunk ? lrnde__device(s, (size_t)more * lrnde__pool_group_bytes(p)) : NULL;
    if (!memory) {
        lrnde__release(s, chunk);
        return s->error.status;
    }
    *chunk = (lrnde__chunk){.next = p->chunks, .memory = memory, .groups = more};
    for (int64_t i = 0; i < more; i++)
        for (int32_t k = 0; k < p->arrays; k++) {
            chunk->pointers[i * (p->arrays + 1) + k] = memory;
            memory += p->bytes[k];
        }
    p->chunks = chunk;
    p->groups += more;
    give_chunk(p, chunk);
    return LRNDE_OK;
}

void **lrnde__pool_take(lrnde_solver *s, lrnde__pool *p)
{
    int64_t more = 1 + p->groups / SHARE;
    if (!p->unused && !lrnde__fits(s, (size_t)more * lrnde__pool_group_bytes(p))) more = 1;
    if (!p->unused && lrnde__pool_reserve(s, p, p->groups + more)) return NULL;
    void **group = p->unused;
    p->unused = group[p->arrays];
    p->left--;
    return group;
}
