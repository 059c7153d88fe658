/* trajectory.h - states at save times, as lrnde-solve shows them: text, JSON, CSV, NPY, a picture. */
#ifndef LRNDE_CLI_TRAJECTORY_H
#define LRNDE_CLI_TRAJECTORY_H

#include "io/jsonl.h"
#include "lrnde.h"

#include <stdio.h>

typedef struct trajectory {
    const lrnde_model_desc *model;
    int64_t samples, times, state;
    const double *t; /* (times), the caller's */
    double *u;       /* (samples, times, state) */
} trajectory;

/* Takes "u" from the last solve, at n save times t.  The caller frees j->u. */
lrnde_status trajectory_get(trajectory *j, lrnde_solver *s, const double *t, int64_t n);

/* t and the components in columns; several samples have their number in the first one. */
void trajectory_print(const trajectory *j, FILE *to, const char *separator);

/* Members "t" and "u" of one sample; json's digits become those of the model's numbers. */
void trajectory_json(const trajectory *j, int64_t sample, lrnde__json *json);

/* Mean and variance over the samples: t, then those of every component, in columns; members "t", "mean", "variance". */
void trajectory_print_moments(const trajectory *j, FILE *to);
void trajectory_json_moments(const trajectory *j, lrnde__json *json);

/* A .npy file (times, state) or (samples, times, state); any other name: CSV. */
lrnde_status trajectory_write(const trajectory *j, const char *path, lrnde_error *e);

/* The components of the first sample over t, with marks at the times of another trajectory. */
lrnde_status trajectory_plot(const trajectory *j, const trajectory *marks, const char *path, lrnde_error *e);

#endif
