/*
 * record.c - the accepted steps of an integration, kept for the way back.
 *
 * A slot is the carry at the start of a step, and what a sweep wants of the step itself: its stages (dense output) or its
 * tape.  Slots come in chunks of about a megabyte and are never given back, so that only a solve with more steps than any
 * before allocates.  Without `keep` the record is a ring of two slots: a step reads one and writes the other.
 */
#include "solve/solver.h"

#include <string.h>

enum { CHUNK_BYTES = 1 << 20, CHUNK_SLOTS = 64 };

static int32_t stages(const lrnde_system_desc *sys)
{
    return sys->n_k + sys->n_extra;
}

static size_t tape_bytes(const lrnde_solver *s, const lrnde__record *r)
{
    return r->keep_tape ? lrnde__sample_bytes(s, r->sys->tape) : 0;
}

static size_t slot_bytes(const lrnde_solver *s, const lrnde__record *r)
{
    size_t bytes = tape_bytes(s, r);
    for (int32_t i = 0; i < r->sys->n_carry; i++) bytes += lrnde__array_bytes(s, &r->sys->carry[i]);
    if (r->keep_k) bytes += (size_t)stages(r->sys) * lrnde__array_bytes(s, &r->sys->carry[0]);
    return bytes;
}

/* What was kept in another layout is of no use: give it back. */
static void forget(lrnde_solver *s, lrnde__record *r)
{
    for (int64_t i = 0; i < r->capacity; i++)
        if (r->slot[i].chunk) {
            lrnde__release(s, r->slot[i].chunk);
            lrnde__release(s, r->slot[i].carry);
        }
    r->capacity = 0;
}

lrnde_status lrnde__record_open(lrnde_solver *s, lrnde__record *r, const lrnde_system_desc *sys, int keep, int keep_k,
                                int keep_tape)
{
    if (keep_k > r->keep_k || keep_tape > r->keep_tape) forget(s, r);
    r->sys = sys;
    r->keep = keep;
    r->keep_k |= keep_k;
    r->keep_tape |= keep_tape;
    r->steps = r->cursor = 0;
    if (!r->shared_k && !r->keep_k) {
        void **k = lrnde__host(s, (size_t)stages(sys) * sizeof *k);
        for (int32_t i = 0; k && i < stages(sys); i++)
            if (!(k[i] = lrnde__device(s, lrnde__array_bytes(s, &sys->carry[0])))) return s->error.status;
        if (!k) return s->error.status;
        r->shared_k = k;
    }
    return lrnde__record_reserve(s, r, 2);
}

/* Cuts the next slot out of a chunk: arrays from *memory, pointers from *table. */
static void carve(lrnde_solver *s, lrnde__record *r, char **memory, void ***table)
{
    lrnde__slot *slot = &r->slot[r->capacity++];
    *slot = (lrnde__slot){.carry = *table, .k = r->keep_k ? *table + r->sys->n_carry : r->shared_k};
    *table += r->sys->n_carry + stages(r->sys);
    for (int32_t i = 0; i < r->sys->n_carry; i++) {
        slot->carry[i] = *memory;
        *memory += lrnde__array_bytes(s, &r->sys->carry[i]);
    }
    for (int32_t i = 0; r->keep_k && i < stages(r->sys); i++) {
        slot->k[i] = *memory;
        *memory += lrnde__array_bytes(s, &r->sys->carry[0]);
    }
    slot->tape = *memory;
    *memory += tape_bytes(s, r);
}

lrnde_status lrnde__record_reserve(lrnde_solver *s, lrnde__record *r, int64_t slots)
{
    if (slots <= r->capacity) return LRNDE_OK;
    size_t bytes = slot_bytes(s, r);
    int64_t more = slots - r->capacity,
            chunk_slots = bytes < CHUNK_BYTES / CHUNK_SLOTS ? CHUNK_SLOTS : (int64_t)(CHUNK_BYTES / bytes);
    if (r->keep && more < chunk_slots) more = chunk_slots;
    if (r->capacity + more > r->room) {
        int64_t room = 2 * (r->capacity + more);
        lrnde__slot *moved = lrnde__host(s, (size_t)room * sizeof *moved);
        if (!moved) return s->error.status;
        if (r->slot) memcpy(moved, r->slot, (size_t)r->capacity * sizeof *moved);
        lrnde__release(s, r->slot);
        r->slot = moved;
        r->room = room;
    }
    void **table = lrnde__host(s, (size_t)(more * (r->sys->n_carry + stages(r->sys))) * sizeof *table);
    char *memory = table ? lrnde__device(s, (size_t)more * bytes) : NULL;
    if (!memory) return s->error.status;
    lrnde__slot *first = &r->slot[r->capacity];
    char *chunk = memory;
    for (int64_t i = 0; i < more; i++) carve(s, r, &memory, &table);
    first->chunk = chunk;
    lrnde__log(s, "record: %lld steps, %.1f MiB in all", (long long)r->capacity - 1, (double)s->memory / 0x1p20);
    return LRNDE_OK;
}

void lrnde__record_rewind(lrnde_solver *s, lrnde__record *r)
{
    lrnde__slot *first = lrnde__slot_at(r, 0), *last = lrnde__slot_at(r, r->steps);
    for (int32_t i = 0; r->steps && i < r->sys->n_carry; i++)
        s->driver->copy(s->device, first->carry[i], last->carry[i], lrnde__array_bytes(s, &r->sys->carry[i]));
    first->t = last->t;
    r->steps = r->cursor = 0;
}
