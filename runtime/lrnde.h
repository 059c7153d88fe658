/*
 * lrnde.h - solve and train neural ordinary differential equations with generated kernels.
 *
 * CONTRACT
 *   Status     Every function that can fail returns lrnde_status; LRNDE_OK is 0.  lrnde_last_error(s) says what went wrong
 *              and where, until the next failure.
 *   Ownership  lrnde_create gives a solver that only lrnde_destroy frees; destroying NULL does nothing.  Pointers handed to
 *              a function are borrowed for the call, but for the descriptor, which must outlive its solvers, and the
 *              callbacks of the options.  Nothing else is freed by the caller.
 *   Memory     After lrnde_create nothing allocates but the record of a training solve and the noise of a stochastic one,
 *              which grow and keep their capacity, arrays at save times, those of lrnde_ensemble too, when more of them are
 *              asked for than ever before, and a batch of inputs that is not there.  options.memory_limit bounds what is on
 *              the device: a training solve that does not fit, or whose gradient does not, is begun again keeping less, which
 *              gradients pay for with steps taken again; the same gradients, bit for bit.  Sizes called bytes are bytes,
 *              others are elements.
 *   Layout     Arrays are row-major: (B, n) for B samples of n features, (B, S, n) at S save times.  They are copied; their
 *              element type is the model's (float or double), labels are int32_t, times are double.
 *   Time       t and h are in the model's unit of time; wall times end in _s and are seconds.
 *   Threads    A solver belongs to one thread at a time and runs its kernels on options.threads of its own.  Solvers share
 *              nothing but const descriptors.
 *
 * A SESSION
 *   lrnde_options o = LRNDE_OPTIONS;
 *   o.batch = 256, o.training = 1;
 *   lrnde_create(&s, &lrnde_mnist_node, &o, &error);
 *   lrnde_set(s, "x", x, sizeof x);  lrnde_set(s, "label", label, sizeof label);
 *   lrnde_train_step(s, &report);
 *   lrnde_get(s, "logits", logits, sizeof logits);
 *   lrnde_destroy(s);
 */
#ifndef LRNDE_H
#define LRNDE_H

#include "kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LRNDE_STATUSES(X)                                                                                                        \
    X(OK, "ok")                                                                                                                  \
    X(ERR_ARGUMENT, "a wrong argument, name or size")                                                                            \
    X(ERR_ORDER, "called before what it builds on")                                                                              \
    X(ERR_UNSUPPORTED, "the model or its method has no kernel for this")                                                         \
    X(ERR_DEVICE, "the device is not there or failed")                                                                           \
    X(ERR_MEMORY, "out of memory, or over the memory limit")                                                                     \
    X(ERR_FILE, "a file cannot be read or written, or does not fit the model")                                                   \
    X(ERR_STEP_LIMIT, "step limit reached before the end")                                                                       \
    X(ERR_STEP_SIZE, "step size fell below what time resolves")                                                                  \
    X(ERR_NOT_FINITE, "the solution is not finite")                                                                              \
    X(ERR_INACCURATE, "an adjoint does not retrace the solution")                                                                \
    X(ERR_TIME_LIMIT, "time limit reached")                                                                                      \
    X(ERR_CANCELLED, "cancelled by the caller")

typedef enum lrnde_status {
#define LRNDE_X(name, text) LRNDE_##name,
    LRNDE_STATUSES(LRNDE_X)
#undef LRNDE_X
} lrnde_status;

const char *lrnde_status_text(lrnde_status status);

typedef struct lrnde_solver lrnde_solver;

/* What went wrong.  Fields that do not apply: t, h are NaN, stage, sample -1, layer, component "". */
typedef struct lrnde_error {
    lrnde_status status;
    double t, h;        /* of the step that failed */
    int32_t stage;      /* from 1 */
    int64_t sample;     /* from 0 */
    char layer[64];     /* of a network in the right-hand side, "dynamics.0": the first that gave what is not finite */
    char component[64]; /* of the state, "u[2]" or its name: the first that is not finite */
    int64_t step;       /* training step, 0 outside of training */
    char text[256];     /* one line */
} lrnde_error;

/* Zero means the default everywhere: write lrnde_options o = LRNDE_OPTIONS and set what differs. */
typedef struct lrnde_options {
    size_t size;                                /* sizeof(lrnde_options): lets the struct grow */
    int32_t batch;                              /* samples of a solve; default: the model's batch, else 1 */
    int32_t training;                           /* nonzero: keep what gradients need */
    const char *device;                         /* "auto", a driver's name or "name:1"; default auto */
    int32_t threads;                            /* default: all the device offers */
    size_t memory_limit;                        /* bytes on the device; default none; see lrnde_storage */
    uint64_t seed;                              /* of parameters, of the times of regularization, of noise */
    double atol, rtol;                          /* default: the model's */
    double t0, t1;                              /* default (t0 == t1): the model's */
    double h;                                   /* length of fixed steps; default: the model's, else the error estimate decides */
    int64_t max_steps;                          /* accepted and rejected; default: the model's, else 1e6 */
    double time_limit_s;                        /* of one solve or sweep; default one hour */
    void *user;                                 /* handed to the callbacks */
    void (*log)(void *user, const char *line);  /* what was created, how memory grows */
    int (*cancel)(void *user);                  /* nonzero stops the solve; asked at every step, or launch of many */
    void (*warn)(void *user, const char *line); /* what does not fail but is not to be relied on; once a solver */
    double adjoint_atol, adjoint_rtol;          /* of a continuous adjoint's solve; default: the model's, else atol, rtol */
    int32_t batches;                            /* of inputs that can stay on the device; default 1; see "inputs/batch" */
} lrnde_options;

#define LRNDE_OPTIONS                                                                                                            \
    {                                                                                                                            \
        .size = sizeof(lrnde_options)                                                                                            \
    }

/* Work of one solve. */
typedef struct lrnde_stats {
    int64_t accepted, rejected;
    int64_t nfe;           /* as OrdinaryDiffEq counts: 3 + s' (accepted + rejected), s' = stages, less one if FSAL; where a
                              method remembers steps, so its first ones, then one for each accepted step */
    int64_t rhs_calls;     /* right-hand sides that really ran in steps */
    int64_t nfe_diffusion; /* of a stochastic equation, whose nfe and rhs_calls count the drift: 2 + evaluations of the steps */
    int64_t nfe_dense;     /* for extra stages of dense output */
    int64_t nfe_local;     /* for a local step of its own; 0 if it is an accepted step */
    double first_h;        /* the automatic first step */
    double t, h;           /* where the solve ended, and the step it would have taken next */
    double miss;           /* of an adjoint that solves u back: by how many tolerances it misses the solution, at most */
} lrnde_stats;

/* One regularized local step. */
typedef struct lrnde_local_report {
    double reg;                    /* the sum of the terms */
    double terms[LRNDE_MAX_TERMS]; /* (regularizer.n_terms) R of each */
    double E;                      /* the solver's error norm of the step */
    double t_reg;                  /* the time that was drawn or asked for */
    double t, h;                   /* start and length of the local step */
    int64_t nfe_local;
} lrnde_local_report;

/* What is kept of a solve for its gradient, and what that takes. */
typedef struct lrnde_storage {
    lrnde_store store;   /* the model's choice; less where options.memory_limit asked for it */
    int reduced;         /* it did */
    int64_t checkpoints; /* of LRNDE_STORE_CHECKPOINTS, else 0 */
    int64_t recomputed;  /* steps the last gradient took again */
    int64_t sweep_steps; /* steps of its own that it took: of an adjoint system, accepted */
    size_t peak;         /* the most bytes held on the device so far, all arrays together */
} lrnde_storage;

/* One evaluation of the loss, or one training step. */
typedef struct lrnde_report {
    int64_t step;                      /* training step, from 1; 0: not a training step */
    double loss;                       /* weighted sum of the terms, without the regularizer */
    double loss_terms[LRNDE_MAX_SUMS]; /* (n_loss) means over samples and save times */
    double metrics[LRNDE_MAX_SUMS];    /* (n_metrics) the same */
    double w_reg, reg;                 /* the loss that is minimized: loss + w_reg * reg */
    double w_terms[LRNDE_MAX_TERMS];   /* (regularizer.n_terms) weights, whose sum is w_reg */
    double reg_terms[LRNDE_MAX_TERMS]; /* R of each */
    double t_reg, E, h_reg;            /* the local step: its time, error norm and length */
    double lr, grad_norm;              /* Euclidean norm of the parameter gradient */
    lrnde_stats forward, adjoint;      /* adjoint: of a continuous adjoint, else zero */
    lrnde_storage storage;             /* of a gradient */
} lrnde_report;

/* An array a solver holds, by name. */
typedef enum lrnde_type { LRNDE_F32, LRNDE_F64, LRNDE_I32 } lrnde_type;
typedef enum lrnde_role {
    LRNDE_SETTING,
    LRNDE_PARAM,
    LRNDE_INPUT,
    LRNDE_STATE,
    LRNDE_OUTPUT,
    LRNDE_GRADIENT,
    LRNDE_SLOT
} lrnde_role;
typedef struct lrnde_array {
    char name[96];
    lrnde_role role;
    lrnde_type type;
    int32_t rank;
    int64_t dims[3];
    size_t bytes;
    int32_t can_set, can_get;
} lrnde_array;

/*
 * Life.  error may be NULL; it is the only way to learn why there is no solver.  Parameters are drawn from options.seed.
 */
lrnde_status lrnde_create(lrnde_solver **solver, const lrnde_model_desc *desc, const lrnde_options *options, lrnde_error *error);
void lrnde_destroy(lrnde_solver *s);
const lrnde_error *lrnde_last_error(const lrnde_solver *s);
const lrnde_model_desc *lrnde_model(const lrnde_solver *s);
const char *lrnde_device_name(const lrnde_solver *s);
const char *lrnde_device_refusals(const lrnde_solver *s); /* why "auto" took no better device, one line; else "" */
const char *lrnde_device_note(const lrnde_solver *s);     /* how the device takes steps, where there is a choice; else "" */
int32_t lrnde_device_remote(const lrnde_solver *s);       /* the device has memory of its own */
int32_t lrnde_batch(const lrnde_solver *s);
int32_t lrnde_threads(const lrnde_solver *s);
size_t lrnde_memory(const lrnde_solver *s); /* bytes held */
lrnde_storage lrnde_storage_of(const lrnde_solver *s);
const char *lrnde_store_text(lrnde_store store);

/*
 * Arrays by name.  A size other than the array's is an error that names it.
 *   "t" (S) save times, in the order of integration     "tspan" (2) t0, t1         "tolerance" (2) atol, rtol
 *   "params" (P) and every parameter leaf by its name   "u0" (B, D) if the model does not compute it from data
 *   inputs by name: (B, n), a series (B, S, n)          "u" (B, S, D), outputs by name (B, S, n): at save times
 *   "inputs/batch" (1): which of options.batches batches the inputs are, from 0; the others stay on the device while nothing else
 *   of the solver needs the memory: "inputs/kept" (1) says whether all inputs of the one chosen are as they were last set; else
 *   they are to be set
 *   "grad/params", "grad/<leaf>", "grad/u0", "grad/<input>": of the last gradient
 *   "optimizer/0".. (P): what the optimizer keeps       "mesh" (accepted + 1): times of the last training solve's steps
 * and of a stochastic equation
 *   "path" (1): which of the Brownian paths that a seed has, from 0: samples have paths of their own, steps of training too
 *   "noise/dW", "noise/dZ" (B, accepted, D): increments of the last training solve's steps; once set, solves of as many steps,
 *   over a mesh or of fixed length, have them, until "path" is set
 * S is 1, the end, unless the model (whose save times apply to its own t0, t1 only) or "t" says otherwise; then "u" and
 * outputs are (B, D), (B, n).  Setting "t" to another number of times forgets series, of all batches.
 */
lrnde_status lrnde_set(lrnde_solver *s, const char *name, const void *data, size_t bytes);
lrnde_status lrnde_get(lrnde_solver *s, const char *name, void *data, size_t bytes);
int32_t lrnde_array_count(const lrnde_solver *s);
lrnde_status lrnde_array_at(lrnde_solver *s, int32_t index, lrnde_array *array);
lrnde_status lrnde_array_find(lrnde_solver *s, const char *name, lrnde_array *array);

/*
 * Solving.  t (n): save times for this solve, in the order of integration and within [t0, t1]; NULL: the model's, or
 * those set as "t".  stats may be NULL.  A mesh (m) replaces step control: m - 1 steps from mesh[0] to mesh[m-1].
 */
lrnde_status lrnde_solve(lrnde_solver *s, const double *t, size_t n, lrnde_stats *stats);
lrnde_status lrnde_solve_mesh(lrnde_solver *s, const double *mesh, size_t m, const double *t, size_t n, lrnde_stats *stats);

/*
 * The gradient of a loss of the caller's own through the last solve (training solvers): cot is dL/d(name), shaped like
 * lrnde_get(name), name "u" or an output.  Results by lrnde_get("grad/..").  After what the solve read was set anew, or
 * parameters were updated, there is none (LRNDE_ERR_ORDER) until it is solved again.
 */
lrnde_status lrnde_gradient(lrnde_solver *s, const char *name, const void *cot, size_t bytes);

/*
 * Solves, then takes the model's regularized local step at t: of length h, or of the model's own choice if h is 0.
 * A training solver also computes "grad/params" of reg.
 */
lrnde_status lrnde_local(lrnde_solver *s, double t, double h, lrnde_local_report *report);

/*
 * Training.  lrnde_loss solves and evaluates loss and metrics.  lrnde_ensemble solves a stochastic model `trajectories`
 * times, along the paths from "path" on: outputs become their means over these trajectories, loss and metrics are those of
 * the means, report->forward is the work of all; "u" is of the last.  lrnde_loss_gradient adds the regularizer and the
 * gradient of loss + w_reg * reg for the next training step; lrnde_update lets the optimizer use "grad/params" and counts
 * the step.  lrnde_train_step is both; if the gradient is not finite it updates nothing and says so.
 */
lrnde_status lrnde_loss(lrnde_solver *s, lrnde_report *report);
lrnde_status lrnde_ensemble(lrnde_solver *s, int64_t trajectories, lrnde_report *report);
lrnde_status lrnde_loss_gradient(lrnde_solver *s, lrnde_report *report);
lrnde_status lrnde_update(lrnde_solver *s);
lrnde_status lrnde_train_step(lrnde_solver *s, lrnde_report *report);
int64_t lrnde_step(const lrnde_solver *s);          /* training steps done */
void lrnde_set_step(lrnde_solver *s, int64_t step); /* when resuming */

/* Parameters as a safetensors file; saving is atomic. */
lrnde_status lrnde_save(lrnde_solver *s, const char *path);
lrnde_status lrnde_load(lrnde_solver *s, const char *path);

#ifdef __cplusplus
}
#endif
#endif
