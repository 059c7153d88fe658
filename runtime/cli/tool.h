/* tool.h - what lrnde-train and lrnde-solve have in common: solver options from a command line, interruption, exit codes. */
#ifndef LRNDE_CLI_TOOL_H
#define LRNDE_CLI_TOOL_H

#include "cli/options.h"
#include "lrnde.h"

/* The options of model.def that concern a solver, as a tool's struct has them; those not given keep their defaults. */
#define TOOL_SOLVER_OPTIONS(o)                                                                                                   \
    tool_solver_options((o)->device, (o)->threads, (o)->memory_limit, (o)->time_limit, (o)->seed, (o)->adjoint_atol,             \
                        (o)->adjoint_rtol)
lrnde_options tool_solver_options(const char *device, int64_t threads, int64_t memory_limit, double time_limit_s, int64_t seed,
                                  double adjoint_atol, double adjoint_rtol);

/*
 * Begins the program again, once, with threads that spin for about 50 us before they sleep: OpenMP reads its settings before
 * main.  GNU's choice is to spin for many milliseconds, which the thread that is waited for does not get where other programs
 * want the same processors.  What the environment says of it already is left alone.
 */
void tool_wait_briefly(char **argv);

/* From now on Ctrl-C stops a solve, through the options' cancel callback, instead of the process. */
void tool_catch_interrupt(void);

/* lrnde_get, lrnde_set and lrnde_gradient for n numbers of the model's precision, here always double. */
lrnde_status tool_get(lrnde_solver *s, const char *name, double *values, int64_t n);
lrnde_status tool_set(lrnde_solver *s, const char *name, const double *values, int64_t n);
lrnde_status tool_gradient(lrnde_solver *s, const char *name, const double *cot, int64_t n);

/* On a terminal: why "auto" took no better device. */
void tool_introduce(const options_tool *tool, const lrnde_solver *s);

/* Significant digits that name a number of the model's precision exactly. */
static inline int tool_digits(const lrnde_model_desc *model)
{
    return model->real_bytes == 4 ? 9 : 17;
}

/* Reports a failure on stderr, one line: its text, which has t and h, then stage, sample and training step
 * if known; returns the exit code. */
int tool_failure(const options_tool *tool, const lrnde_error *e);

#endif
