/* evaluate.h - loss, metrics and cost over a whole split, without training. */
#ifndef LRNDE_TRAIN_EVALUATE_H
#define LRNDE_TRAIN_EVALUATE_H

#include "io/jsonl.h"
#include "train/feed.h"

typedef struct lrnde__evaluation {
    int64_t samples, trajectories;
    double loss;
    double metrics[LRNDE_MAX_SUMS];
    double nfe;       /* mean over batches and trajectories */
    double predict_s; /* median over batches of the time of one prediction with its loss */
} lrnde__evaluation;

/*
 * Means over all batches of the feed, with the parameters its solver has.  What is judged is the mean of so many trajectories
 * (0: one), those of every batch its own.
 */
lrnde_status lrnde__evaluate(lrnde__feed *f, int64_t trajectories, lrnde__evaluation *result, lrnde_error *e);

/* test_loss, test_<metric>.., test_nfe, test_trajectories if the model is stochastic, predict_s */
void lrnde__evaluation_json(const lrnde__evaluation *r, const lrnde_model_desc *model, lrnde__json *j);

/* The number that says which of two evaluations is better, larger is better: accuracy, else less loss. */
double lrnde__evaluation_score(const lrnde__evaluation *r, const lrnde_model_desc *model);

/* Seconds of a clock that never goes back. */
double lrnde__seconds(void);

#endif
