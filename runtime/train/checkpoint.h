/*
 * checkpoint.h - the state of a training run as a safetensors file.
 *
 * Parameters and optimizer slots are tensors; what else belongs to the state are strings of its metadata.  Random numbers, schedules and
 * the order of the samples are functions of (seed, step), so a run resumed from it goes on bit for bit.
 */
#ifndef LRNDE_TRAIN_CHECKPOINT_H
#define LRNDE_TRAIN_CHECKPOINT_H

#include "io/safetensors.h"

typedef struct lrnde__state {
    uint64_t seed;
    int64_t batch;
    double best; /* score of the best evaluation so far */
} lrnde__state;

/* Takes a snapshot, to be written by lrnde__tensors_write.  The training step is the solver's own.  Free f in any case. */
lrnde_status lrnde__checkpoint_take(lrnde__tensors *f, lrnde_solver *s, const lrnde__state *state, lrnde_error *e);

/*
 * Puts everything back.  A checkpoint of another model, optimizer, seed or batch is an error: it would not go on, but start
 * something else.
 */
lrnde_status lrnde__checkpoint_load(lrnde_solver *s, lrnde__state *state, const char *path, lrnde_error *e);

#endif
