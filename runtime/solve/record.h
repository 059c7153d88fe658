/*
 * record.h - the steps of an integration, what is kept of them for the way back, and the memory that takes.
 */
#ifndef LRNDE_SOLVE_RECORD_H
#define LRNDE_SOLVE_RECORD_H

#include "lrnde.h"
#include "solve/revolve.h"

#include <stdint.h>

typedef struct lrnde__run lrnde__run;

/* Groups of arrays, all alike. */
typedef struct lrnde__chunk lrnde__chunk;
typedef struct lrnde__pool {
    int32_t arrays;
    size_t *bytes;        /* (arrays) of each */
    int64_t groups, left; /* left: that are unused */
    void **unused;
    lrnde__chunk *chunks;
} lrnde__pool;

/* What a step may know of those before it, since the start or the last change of the state from outside. */
typedef struct lrnde__past {
    int32_t steps;                       /* at most LRNDE_PAST */
    double t[LRNDE_PAST], h[LRNDE_PAST]; /* where they began and their lengths, the last one first */
} lrnde__past;

/*
 * An accepted step from t of length h.  The slot after the last step holds the end: its t and carry.  Every slot has t and
 * h; the rest is there when the record keeps it, or after lrnde__recall: a step is whole when its stages and tape, and the
 * carry at both ends are there.
 */
typedef struct lrnde__slot {
    double t, h;
    lrnde__past past;
    void **carry; /* (n_carry) arrays at t */
    void **k;     /* (n_k + n_extra) stages; shared by all slots if the record does not keep them */
    void *tape;
    int has_extra; /* the extra stages of dense output have been computed */
    int marked;    /* its carry is a checkpoint */
} lrnde__slot;

/* What is kept of the steps gone by. */
typedef enum lrnde__keep {
    LRNDE__KEEP_NOTHING,  /* a ring of two slots */
    LRNDE__KEEP_WHOLE,    /* all of every step */
    LRNDE__KEEP_MARKED,   /* checkpoints, for a sweep that undoes one step after another */
    LRNDE__KEEP_INTERVALS /* checkpoints, for a sweep that looks at the steps between two of them, more than once */
} lrnde__keep;

/* Whole steps first..end-1, on the way back. */
typedef struct lrnde__stretch {
    int64_t first, end;
} lrnde__stretch;

/* The steps of one integration. */
typedef struct lrnde__record {
    const lrnde_system_desc *sys;
    lrnde__keep keep;
    int keep_k, keep_tape;
    int64_t steps, ready, room; /* accepted; equipped; entries of slot */
    int64_t decided;            /* about the states before these steps it has been decided whether they stay */
    int64_t cursor;             /* the step where the state was last asked for */
    lrnde__slot *slot;
    lrnde__pool carry, k, tape;
    void **shared_k, **shared_tape;

    int64_t most, expected; /* checkpoints; steps if their number is known beforehand, else 0 */
    lrnde__mark *mark;      /* (mark_room) the checkpoints, in order */
    int64_t marks, mark_room;
    int64_t stride;            /* INTERVALS: steps from one to the next */
    lrnde__stretch stretch[2]; /* the latest first */
    int64_t again;             /* steps taken again */
} lrnde__record;

/* pool.c: arrays and bytes are set by whoever owns the pool. */
size_t lrnde__pool_group_bytes(const lrnde__pool *p);
lrnde_status lrnde__pool_reserve(lrnde_solver *s, lrnde__pool *p, int64_t groups);
void **lrnde__pool_take(lrnde_solver *s, lrnde__pool *p); /* NULL as in memory.c; not if it was reserved */
void lrnde__pool_give(lrnde__pool *p, void **group);
void lrnde__pool_reset(lrnde__pool *p);                  /* all are given back */
void lrnde__pool_empty(lrnde_solver *s, lrnde__pool *p); /* and their memory */

/* record.c */
lrnde_status lrnde__record_open(lrnde_solver *s, lrnde__record *r, const lrnde_system_desc *sys, lrnde__keep keep, int keep_k,
                                int keep_tape);
lrnde_status lrnde__record_extend(lrnde_solver *s, lrnde__record *r);
lrnde_status lrnde__record_ahead(lrnde_solver *s, lrnde__record *r, int64_t n); /* for n further steps at once */
lrnde_status lrnde__record_close(lrnde_solver *s, lrnde__record *r);
void lrnde__record_rewind(lrnde_solver *s, lrnde__record *r); /* forgets the steps: their end becomes the start */
void lrnde__record_empty(lrnde_solver *s, lrnde__record *r);
lrnde_status lrnde__record_equip(lrnde_solver *s, lrnde__record *r, int64_t n, int own);
void lrnde__record_mark(lrnde__record *r, int64_t n);
void lrnde__record_unmark(lrnde__record *r);
void lrnde__record_drop(lrnde__record *r, int64_t n);
static inline lrnde__slot *lrnde__slot_at(const lrnde__record *r, int64_t n)
{
    return &r->slot[r->keep ? n : n & 1];
}

/* recall.c */
void lrnde__recall(lrnde__run *r, int64_t n);
int64_t lrnde__whole_from(const lrnde__record *r, int64_t n); /* the first of the steps that are whole, up to n, which is */

/* past.c: the method of a step, the scalars of its kernels, the past of the step after it. */
const lrnde_system_desc *lrnde__method(const lrnde_system_desc *sys, const lrnde__past *past);
void lrnde__tell_past(lrnde_args *a, const lrnde__past *past);
lrnde__past lrnde__past_after(const lrnde__past *past, double t, double h);

#endif
