/*
 * report.h - what a training run says: a log file, lines on stdout, a picture of the cost, progress on a terminal.
 *
 * A report is one JSON object: step, loss, train_<metric>.., reg, w_reg, reg_share (w_reg reg / loss), t_reg, E, nfe, accepted,
 * rejected, nfe_local, lr, grad_norm, what the gradient keeps and takes (store, checkpoints, recomputed, sweep_steps, memory),
 * step_s, and at an evaluation test_loss, test_<metric>.., test_nfe, predict_s.  Of several regularizers also reg_<name>,
 * w_reg_<name>; then w_reg is the sum of the weights and reg the mean they weigh.
 */
#ifndef LRNDE_TRAIN_REPORT_H
#define LRNDE_TRAIN_REPORT_H

#include "train/evaluate.h"

typedef struct lrnde__reports {
    const lrnde_model_desc *model;
    int json;   /* stdout gets the objects, else text */
    char *path; /* of the log */
    FILE *log;
    int terminal;
    double floor; /* of E per unit of h: below it the estimate is rounding noise */
    int floor_said, storage_said;
} lrnde__reports;

/* Opens the log at `path`; it keeps the reports up to step `done`, which a resumed run has behind it. */
lrnde_status lrnde__reports_open(lrnde__reports *r, const lrnde_model_desc *model, const lrnde_options *options, const char *path,
                                 int64_t done, int json, lrnde_error *e);
lrnde_status lrnde__reports_close(lrnde__reports *r, lrnde_error *e);

/* test: NULL, or the evaluation after this step. */
void lrnde__reports_step(lrnde__reports *r, const lrnde_report *report, double step_s, const lrnde__evaluation *test);

/* Redraws one line on stderr, if that is a terminal. */
void lrnde__reports_progress(const lrnde__reports *r, const lrnde_report *report, int64_t steps, double step_s);

/* What a gradient keeps, as members of an object, and as a note on stderr if a memory limit had a say in it. */
void lrnde__storage_json(const lrnde_storage *storage, lrnde__json *j);
void lrnde__storage_note(const lrnde_storage *storage);

/* nfe over the steps of the log, as a picture. */
lrnde_status lrnde__reports_plot(const lrnde__reports *r, const char *path, lrnde_error *e);

#endif
