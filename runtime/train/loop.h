/*
 * loop.h - a training run: steps, reports, evaluations, and the files it leaves.
 *
 * In the folder `out`: log.jsonl (reports), last.safetensors (state to resume from), best.safetensors (weights of the best
 * evaluation), nfe.svg, config.json (what was run); in its folder `previous` those of a run that was there, unless it is resumed.
 */
#ifndef LRNDE_TRAIN_LOOP_H
#define LRNDE_TRAIN_LOOP_H

#include "train/evaluate.h"

typedef struct lrnde__training {
    const lrnde__data *data;
    lrnde_options options; /* of its solvers; cancel stops the run */
    int64_t steps;         /* where to stop; schedules are the model's */
    int64_t batch;         /* 0: all samples */
    int64_t trajectories;  /* whose mean is evaluated; 0: one */
    int64_t every;         /* steps from one report to the next */
    const char *out, *log; /* folder; file, or NULL: log.jsonl in out */
    const char *weights;   /* to start from, or NULL */
    int resume, json;
    int evaluate_only;
} lrnde__training;

/* How a run ended. */
typedef struct lrnde__outcome {
    int64_t step;
    double loss; /* of the last step */
    double train_s;
    lrnde__evaluation test;
    char device[64];
    int32_t threads;
} lrnde__outcome;

/*
 * On failure a state from which a step had succeeded has been saved, if there was one, and e says what happened; LRNDE_ERR_CANCELLED if the callback
 * asked for the end.
 */
lrnde_status lrnde__train(const lrnde__training *training, lrnde__outcome *outcome, lrnde_error *e);

/* device, precision, accumulate, threads: what the numbers and times of a run depend on. */
void lrnde__outcome_json(const lrnde__outcome *outcome, const lrnde_model_desc *model, lrnde__json *j);

#endif
