/*
 * feed.h - a solver and the batches it is given.
 *
 * The samples of a split are shuffled once, by the seed; batch i is the i-th run of `batch` samples in that order, and what does
 * not fill a last batch is never seen.  So a batch is a function of (seed, index), which is all that resuming needs.
 *
 * Batches that are trained on stay on a device that has memory of its own, so that from the second time on none crosses to it:
 * all of them up to a gibibyte, while nothing else of the solver needs the memory.  Beyond that, or where it is limited, the last
 * place is that of every batch that has none of its own.
 */
#ifndef LRNDE_TRAIN_FEED_H
#define LRNDE_TRAIN_FEED_H

#include "io/data.h"

typedef enum lrnde__split { LRNDE__TRAIN, LRNDE__TEST } lrnde__split;

typedef struct lrnde__feed {
    lrnde_solver *solver;
    const lrnde__data *data;
    int64_t batch, batches;
    int64_t *order; /* samples of the split, shuffled */
    void *rows;     /* one batch of the largest input */
    int32_t places; /* for batches on the device */
    int64_t *in;    /* (places) which batch is there; -1: none */
} lrnde__feed;

/*
 * Makes a solver with these options for batches of `batch` samples (0: all of the split).  Where the model takes its times from
 * the data, the solver gets them.  A data set without test samples is tested on its training samples.
 */
lrnde_status lrnde__feed_open(lrnde__feed *f, const lrnde__data *data, lrnde__split split, int64_t batch,
                              const lrnde_options *options, lrnde_error *e);
void lrnde__feed_close(lrnde__feed *f);

/* Sets the solver's inputs to batch index % batches. */
lrnde_status lrnde__feed_batch(lrnde__feed *f, int64_t index, lrnde_error *e);

#endif
