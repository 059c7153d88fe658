/* gradient.h - lrnde-solve's --gradient: of a scalar of u(t1), by u0 and by the parameters. */
#ifndef LRNDE_CLI_GRADIENT_H
#define LRNDE_CLI_GRADIENT_H

#include "cli/trajectory.h"
#include "cli/options.h"

typedef struct gradient {
    double value;
    double *u0;     /* (state), NULL if the model computes u0 from data */
    double *params; /* (n_params), NULL if no gradient was taken */
} gradient;

/*
 * Of the expression at the last save time of the last solve, of one sample.  Returns an exit code; what is wrong, a gradient
 * that is not finite included, has been reported.  Free g in any case.
 */
int gradient_take(gradient *g, const options_tool *tool, const char *expression, lrnde_solver *s, const trajectory *j);
/* Members "grad_u0", "grad_params" and, by the model's data, "grad_<input>" of the object being written. */
void gradient_json(const gradient *g, lrnde_solver *s, lrnde__json *json);
void gradient_free(gradient *g);

#endif
