/*
 * kernel.h - the contract between generated code and whoever runs it.
 *
 * The only header a generated file includes.  It defines every type and macro such a file uses; the descriptor at the end
 * (lrnde_model_desc) is all the runtime ever learns about a model.
 *
 * LAYOUT  A per-sample array of n features is stored in tiles: (tiles, n, T), T samples side by side: desc->tile, or the tile
 *         of the lrnde_text that runs.
 *         tiles = ceil(batch / T); the lanes beyond the batch in the last tile repeat the last sample, and never enter a sum.
 *         Shared arrays are dense.  "real" is float or double, desc->real_bytes.
 * TIME    t, h, sums, E and everything that decides steps is double.
 * KERNEL  A kernel runs in one or two phases.  The tile phase handles tiles [tile0, tile1) of one worker; workers share
 *         nothing but read-only inputs.  The shared phase, after all of them, handles elements [e0, e1) of the kernel's
 *         shared vectors (parameter-sized); it adds the workers' partial sums in the order of the workers.
 *         Kernels allocate nothing, print nothing, keep no state.
 * SUMS    A kernel never returns a norm: it returns double partial sums, n_sums a tile (or a shared chunk), which the
 *         driver adds in a fixed order.  `finish` makes E or S of them.
 */
#ifndef LRNDE_KERNEL_H
#define LRNDE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#define LRNDE_ABI 10

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LRNDE_MAX_SUMS = 16,   /* sums of one kernel */
    LRNDE_MAX_TERMS = 4,   /* regularizers of a model */
    LRNDE_PAST = 2,        /* steps before, whose lengths a kernel may read: h_1, .. */
    LRNDE_MAX_PIECES = 64, /* of a Brownian path, that a course keeps account of */
    LRNDE_CHUNK = 4096     /* elements of a shared chunk */
};

/* Numbers shared by the batch that a kernel may read.  Unused ones are ignored. */
#define LRNDE_SCALARS(X)                                                                                                        \
    X(t, "time at the start of the step")                                                                                      \
    X(h, "step, negative when integrating backwards")                                                                          \
    X(theta, "position inside a step, 0..1 (dense output)")                                                                    \
    X(atol, "absolute tolerance")                                                                                              \
    X(rtol, "relative tolerance")                                                                                              \
    X(weight, "factor of what is added up: of a loss 1 / (samples x save times), of a quadrature node its weight")             \
    X(difference, "that weight less the one of the embedded rule")                                                             \
    X(share, "1 / the trajectories that a mean is over")                                                                        \
    X(lr, "learning rate of this training step")                                                                               \
    X(step, "training step, from 1")                                                                                           \
    X(h_1, "length of the step before, and")                                                                                   \
    X(h_2, "of the one before that, where a method remembers them")

typedef struct lrnde_scalars {
#define LRNDE_X(name, doc) double name;
    LRNDE_SCALARS(LRNDE_X)
#undef LRNDE_X
} lrnde_scalars;

/*
 * Arguments of every kernel: which fields one reads and writes is in its line of LRNDE_KERNELS.  Pointers it does not use
 * may be NULL.  Tables are in the order of the descriptor's lists.  cot_x is the cotangent of x.  Cotangent outputs are
 * overwritten (=); `cot_constants` and `partial`, the parameter gradient of a worker, are added to (+=).
 */
typedef struct lrnde_args {
    lrnde_scalars s;
    int32_t batch, tiles, workers;
    const void *params;             /* (P) */
    const void *const *data;        /* model inputs: per sample, desc->inputs */
    const void *const *constants;   /* per sample, desc->constants: context of the solve */
    const void *const *carry;       /* sys->carry at t */
    void *const *next;              /* sys->carry at t + h */
    const void *const *next_in;     /* the same, where a kernel reads it */
    void *const *k;                 /* interior stages k_i of component 0: n_k arrays, then n_extra of dense output's extra stages */
    const void *const *k_in;        /* the same, where a kernel reads it */
    const void *const *noise;       /* Brownian increments of the step: desc->n_noise arrays like component 0, dW then dZ */
    const void *const *external;    /* one a stage, extra ones included: arrays like the forward state (adjoint systems) */
    void *tape;                     /* (tiles, sys->tape): what rev_step needs besides carry */
    const void *tape_in;
    void *const *out;               /* what the kernel's line says */
    const void *const *in;          /* what the kernel's line says */
    const void *const *cot_next;    /* like carry */
    void *const *cot_carry;         /* like carry */
    const void *const *cot_k;       /* like k */
    const double *cot_sums;         /* n_sums of the primal kernel */
    void *const *cot_constants;     /* like constants */
    void *grad;                     /* (P), shared phase */
    double *sums;                   /* (tiles, n_sums), then (chunks, n_sums) for the shared phase */
    void *partial;                  /* (workers, partial): batch sums of each worker */
    size_t partial_stride;          /* elements of real from one worker's partial to the next */
    void *work;                     /* (workers, work): scratch */
    size_t work_stride;             /* elements of real */
} lrnde_args;

typedef void (*lrnde_tile_fn)(const lrnde_args *a, int32_t tile0, int32_t tile1, int32_t worker);
typedef void (*lrnde_shared_fn)(const lrnde_args *a, int64_t e0, int64_t e1);

typedef struct lrnde_kernel {
    const char *name;
    lrnde_tile_fn tile;      /* NULL: no tile phase */
    lrnde_shared_fn shared;  /* NULL: no shared phase */
    int64_t shared_size;     /* elements of the shared phase */
    int32_t n_sums;
    int64_t work;            /* elements of real a worker needs */
    int64_t partial;         /* elements of real a worker's batch sums need */
    int64_t flop;            /* per sample */
    int64_t shared_flop;     /* per call */
    int64_t loads, stores;   /* elements per sample */
    int32_t rhs_evals;       /* right-hand sides it evaluates; of a stochastic equation, the drift */
    int32_t diffusion_evals;
} lrnde_kernel;

/*
 * Kernels of a system (an initial value problem a stepper was expanded over).  A tile function that is NULL and a shared
 * function that is NULL: the system has no such kernel.
 *   reads -> writes
 * In a stochastic system (n_noise > 0) a derivative f is two arrays, the drift and the diffusion, and first and second see the
 * drift at the worse of three standard deviations.
 */
#define LRNDE_SYSTEM_KERNELS(X)                                                                                                 \
    X(rhs, "carry[components], external[0], t -> out[components] = f; n_sums 0")                                               \
    X(first, "carry, in = f0[components], t -> sums {sum (u/sc)^2, sum (f0/sc)^2}, sc = atol + rtol |u|")                      \
    X(second, "carry, in = f0, external[0] = u(t + h), t, h = dt0 -> sums {sum ((f(t+h, u + h f0) - f0)/sc)^2}")                          \
    X(step, "carry, external[stages], noise, t, h -> next, k, sums (error)")                                                          \
    X(step_tape, "the same and tape")                                                                                          \
    X(extra, "carry, next_in, k_in, external[stages..], t, h -> k[n_k..n_k+n_extra): extra stages of dense output")                                \
    X(dense, "carry, next_in, k_in, theta, h -> out[0] = u(t + theta h), component 0")                                         \
    X(rev_rhs, "carry, t, cot_next = cotangent of f -> cot_carry[components], cot_constants +=, partial += gradient")              \
    X(rev_step, "carry, next_in, tape_in, noise, t, h, cot_next -> cot_carry, cot_constants +=, partial += gradient")                     \
    X(rev_step_full, "the same, reads k_in, cot_k (n_k + n_extra) and cot_sums (of step) besides")                                     \
    X(rev_dense, "theta, h, in[0] = cotangent of u(t + theta h) -> cot_carry, out[components] = cot_next, out[n..] = cot_k")       \
    X(integrand, "carry[0] = lambda, external[0] = u(t), t, weight, difference, in -> out = in + weight F(t) and, if the rule "    \
                 "is adaptive, out[n_integrals..] = in + difference F(t), sums {sum (difference so far/sc)^2}; F the integrands") \
    X(miss, "carry, in[0] = u -> sums {sum ((carry[1] - u)/sc)^2}")                                                             \
    X(local, "carry, next_in, k_in, noise, t, h of a step -> sums the regularizers add to those of step")                             \
    X(rev_local, "the same, cot_sums (step's, then local's) -> cot_carry of states, cot_constants +=, partial += gradient")     \
    X(rev_step_local, "as rev_step, and cot_sums, k_in as rev_local: both gradients; cot_carry of cot_next alone, or total")

/* Kernels of a model beside its systems. */
#define LRNDE_MODEL_KERNELS(X)                                                                                                  \
    X(init, "data -> out[0] = u0, out[1..] = constants")                                                                       \
    X(rev_init, "data, in[0] = cotangent of u0, in[1..] = of constants -> out = cotangents of data, partial += gradient")      \
    X(head, "in[0] = u at a save time, data, t, weight -> out = outputs, sums {loss terms.., metrics..}")                      \
    X(ensemble, "in = outputs, each summed over trajectories, data, t, weight, share -> out = their means, sums of head of these") \
    X(rev_head, "in[0] = u, data, t, weight -> out[0] = cotangent of u, partial += gradient")                                  \
    X(rev_output, "in[0] = u, in[1..] = cotangents of outputs, data, t -> out[0] = cotangent of u, partial += gradient")       \
    X(locate, "carry[0] = u, constants, t -> out[0] (layers): is what a layer of f gives finite? after a failure only")          \
    X(update, "params, grad, in = optimizer slots, lr, step -> out[0] = params, out[1..] = slots; shared phase")

/*
 * Matrix products of large layers, row-major: C (m, n) = op(A) op(B) + beta C, op(X) = X^T where tx is nonzero.  Every
 * CPU backend provides them, single-threaded; _f32_d accumulates in double.
 */
void lrnde_gemm_f32(int ta, int tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                    int ldc);
void lrnde_gemm_f32_d(int ta, int tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, float beta, float *c,
                      int ldc);
void lrnde_gemm_f64(int ta, int tb, int m, int n, int k, const double *a, int lda, const double *b, int ldb, double beta, double *c,
                    int ldc);

/*
 * P M = L U by LAPACK, for large systems: m (n*n, lanes) column by column, f (n*n + n, lanes) the factors, then the rows
 * exchanged, from 0.  lanes: a power of two; work: n, and n*n for each of at most 8 lanes.  Every CPU backend provides it,
 * single-threaded.
 */
void lrnde_lu_large_f64(int n, int lanes, const double *m, double *f, double *work);

/* An array by name.  size: features of a sample, or elements if shared. */
typedef struct lrnde_array_desc {
    const char *name;
    int64_t size;
    int32_t shared;
} lrnde_array_desc;

/* Step size control as tableaus declare it; q divides h, and from 1 to qsteady h is kept.  See control.h. */
typedef struct lrnde_controller {
    double beta1, beta2, gamma, qmin, qmax, qsteady;
} lrnde_controller;

/* A Brownian path as far as it has been drawn, in pieces, which are numbers below `count`; see pieces.h. */
typedef struct lrnde_pieces {
    double *length;                   /* (count) */
    int64_t *future, *used, *spare;   /* stacks: given back, the next on top; of the trial step, the latest on top; free to be used */
    int64_t n_future, n_used, n_spare, count;
    int64_t draws;                    /* made so far */
} lrnde_pieces;

/*
 * An adaptive integration of the forward or the adjoint system that a kernel does by itself, deciding as control.h does.  Of a
 * method that remembers steps it is the steps after the first ones, which `start` takes.  It
 * goes on until it is at t1, or has reached `look`, or there is no slot left for a step, or `most` steps have been tried, or a
 * rejected one could not be tried shorter; whoever launched it may launch it again, from where it stopped.
 *
 * A slot is a step of a record (solver.h): the carry before it, its stages, its tape.  The step in slot i writes the carry of
 * slot i + 1, or of slot 0 if i is the last and the slots are a ring.
 *
 * The path is a stretch of the forward solution, which an adjoint system reads: its states are dense output of these steps, in
 * the order they were taken, and no step is tried that ends beyond `reach`.  Where the integrals take a rule that is applied to
 * every step, that is part of the step.
 *
 * A step of a stochastic system makes its increments from the pieces of the path; none is tried when there is no piece to spare.
 */
typedef struct lrnde_course {
    double t1, look, reach, shortest;
    int64_t most;
    int32_t slots, ring;
    void *const *carry;               /* (slots, n_carry); without a ring one more: the carry after the last */
    void *const *k;                   /* (slots, n_k + n_extra) */
    void *const *tape;                /* (slots), of step_tape; NULL: it is step that is taken */
    double *t, *h;                    /* (slots, of a ring most) of the steps accepted in this launch: start and length, */
    double *sums;                     /* the same with n_sums each: and sums */

    int32_t path;                     /* steps of it; 0: there is none, nor what comes next */
    const double *path_t, *path_h;    /* (path) */
    void *const *path_carry;          /* (path + 1, n_carry) of the forward system */
    void *const *path_k;              /* (path, n_k + n_extra) */
    void *const *integrals;           /* (n_integrals) so far; NULL: no rule is part of a step */
    void *lambda, *u;                 /* scratch for states at a node of the rule */

    void *const *noise;               /* (slots, n_noise) where increments go; NULL: no noise, nor what comes next */
    void *const *piece;               /* (pieces.count) increments over each, (n_noise, tiles, state, T) doubles */
    uint64_t key;                     /* and stream of the path's numbers (io/rng.h) */
    int32_t stream;
    lrnde_pieces pieces;              /* given, and renewed */

    double past[LRNDE_PAST];          /* lengths of the steps before, the last one first, where a method remembers them */
    double now, next, e_old;          /* where it is; the next step to try; see control.h.  Given, and renewed, as is */
    int32_t slot;                     /* that of the step under way, whose carry is there */
    int32_t over;                     /* written, as is all that follows: the last step was rejected, and can be no shorter */
    double tried, E;                  /* the last step: its length, its error norm */
    int64_t accepted, rejected;       /* in this launch */
    uint64_t met;                     /* of the launch: zero */
} lrnde_course;

/*
 * A system by a method.  A method that remembers steps before takes its first n_start ones, and so many after its state was
 * changed from outside, by `start`: the same system by another method, which has the same carry and the kernels of a step.
 */
typedef struct lrnde_system_desc lrnde_system_desc;
struct lrnde_system_desc {
    int32_t n_components;             /* the first n_components of carry are the state; the rest what the stepper carries (k1) */
    int32_t n_controlled;             /* the first n_controlled components make the error norm */
    int32_t n_carry;
    const lrnde_array_desc *carry;
    int32_t fsal;                     /* carry[n_components + i] is f(t, u)[i] */
    int32_t late;                     /* of the carry after it a step leaves that to rhs, once it is accepted */
    const lrnde_system_desc *start;
    int32_t n_start;                  /* at most LRNDE_PAST; 0: no step remembers another */
    int32_t past_states;              /* carry[past_states + i], i < n_start, is u at the start of the i-th step before; 0: it has none */
    int32_t stages;
    double order;                     /* p of the automatic first step: its length is proportional to tolerance^(1/p) */
    int32_t n_noise;                  /* increments a step reads; 0: the system is not stochastic */
    const double *external_c;         /* (n_external): external[i] is wanted at t + c_i h */
    int32_t n_external;               /* 0, or stages and extra stages of dense output */
    const double *a;                  /* (stages, stages): k_i = f(t + c_i h, u + h sum_j a_ij k_j) */
    int32_t n_k, n_extra;             /* stages of component 0 that are in neither carry nor next; extra stages of dense output */
    int64_t tape;                     /* elements of real per tile lane (a sample) */
    int32_t n_sums;                   /* of step, that E is made of */
    double (*finish)(const double *sums, double n);                            /* E; NULL: no estimate, the sums are finite if the step is */
    void (*rev_finish)(const double *sums, double n, double cot, double *cot_sums);
    lrnde_controller controller;
#define LRNDE_X(name, doc) lrnde_kernel name;
    LRNDE_SYSTEM_KERNELS(LRNDE_X)
#undef LRNDE_X
};

typedef enum lrnde_init { LRNDE_INIT_CONSTANT, LRNDE_INIT_UNIFORM, LRNDE_INIT_GLOROT } lrnde_init;

/* One parameter leaf: rows x cols numbers at `offset` of params, columns [key_col, key_col + cols) of tensor `key`. */
typedef struct lrnde_param_desc {
    const char *name;                 /* "dynamics.0.weight", "damping" */
    int64_t offset;
    int32_t rows, cols;               /* a vector has rows = 1 */
    const char *key;                  /* tensor in a safetensors file; leaves of one layer may share it (time column) */
    int32_t key_col, key_cols;        /* key has (rows, key_cols), or (key_cols) when key_rank is 1 */
    int32_t key_rank;
    lrnde_init init;
    double a, b;                      /* constant: a; uniform: [a, b); glorot: gain a, fan_in + fan_out b */
    const double *values;             /* (rows*cols) or NULL: constants one by one */
} lrnde_param_desc;

typedef enum lrnde_regularize { LRNDE_REG_NONE, LRNDE_REG_UNBIASED, LRNDE_REG_BIASED } lrnde_regularize;
typedef enum lrnde_gradient_kind { LRNDE_TRUNCATED, LRNDE_PARTIAL, LRNDE_TOTAL } lrnde_gradient_kind;

/* What a solve keeps of its steps for the way back: see record.c of the runtime.  The first three give the same gradient, bit for bit. */
#define LRNDE_STORES(X)                                                                                                          \
    X(STAGES, "stages")                                                                                                          \
    X(STATE, "state")                                                                                                            \
    X(CHECKPOINTS, "checkpoints")                                                                                                \
    X(NOTHING, "nothing")

typedef enum lrnde_store {
#define LRNDE_X(name, text) LRNDE_STORE_##name,
    LRNDE_STORES(LRNDE_X)
#undef LRNDE_X
} lrnde_store;

/*
 * How gradients are computed: without an adjoint system by transposed steps, else by integrating that system backwards.  Its
 * component 0 is lambda.  What does not apply is zero.
 */
typedef struct lrnde_sensitivity {
    const char *name;
    lrnde_store store;                /* of the forward solution */
    int32_t checkpoints;              /* of LRNDE_STORE_CHECKPOINTS, at least 1; else 0 */
    double atol, rtol;                /* of the adjoint system; 0: the solver's */
    int32_t n_integrals;              /* the gradient of the first parameters, then the cotangents of the constants */
    const lrnde_array_desc *integrals;
    int32_t n_nodes;                  /* 0: the integrals are the last components; else they take a quadrature rule on [0, 1] */
    const double *nodes, *weights;
    const double *differences;        /* of the weights to an embedded rule's: adaptive; NULL: once a step */
    int32_t state;                    /* component 1 is u, integrated backwards and put back at checkpoints; else u is external */
    double bound;                     /* by how many tolerances u may miss the forward solution */
    int32_t strict;                   /* to miss it by more is an error */
} lrnde_sensitivity;

/* A schedule over training steps 1..n: value(step).  See schedule.h. */
typedef enum lrnde_schedule_kind { LRNDE_CONSTANT, LRNDE_EXPONENTIAL, LRNDE_LINEAR, LRNDE_COSINE, LRNDE_INVERSE } lrnde_schedule_kind;
typedef struct lrnde_schedule {
    lrnde_schedule_kind kind;
    double a, b;                      /* constant a; exponential, linear, cosine: a -> b over the run; inverse: a / (1 + b step) */
} lrnde_schedule;

/* R = estimate, times |h| if times_h, of the sums of the local step: those of step, then those of local. */
typedef struct lrnde_regularizer_term {
    const char *name;                 /* "error", "stiffness" */
    lrnde_schedule coefficient;
    int32_t times_h;
    int32_t first_sum;                /* where those it reads begin */
    double (*estimate)(const double *sums, double n);
    void (*rev_estimate)(const double *sums, double n, double cot, double *cot_sums);
} lrnde_regularizer_term;

typedef struct lrnde_regularizer_desc {
    lrnde_regularize sampling;
    lrnde_gradient_kind gradient;
    int32_t automatic_step;           /* step_size: 0 accepted, 1 automatic */
    int32_t points_saveat;            /* biased: 0 accepted steps, 1 save times */
    int32_t include_start;
    int32_t n_terms;                  /* 0: nothing is regularized */
    const lrnde_regularizer_term *terms;
    const lrnde_system_desc *system;  /* what takes the local step; NULL: it is one of the solve's */
} lrnde_regularizer_desc;

/* Where the data come from: a reader of runtime/io by name and its arguments as the model file gave them. */
typedef struct lrnde_option_desc {
    const char *key, *value;
} lrnde_option_desc;

typedef struct lrnde_data_desc {
    const char *reader;               /* "idx", "csv"; NULL: the model has no data */
    int32_t n_options;
    const lrnde_option_desc *options;
} lrnde_data_desc;

/* A model input.  series: one array of `size` features for each save time, else one. */
typedef struct lrnde_input_desc {
    const char *name;
    int32_t size;
    int32_t series;
    int32_t label;                    /* a class number: integers 0..classes-1 */
    int32_t classes;
} lrnde_input_desc;

typedef struct lrnde_term_desc {
    const char *name;
    double weight;                    /* of a loss term */
} lrnde_term_desc;

/* The same kernels as source text of another backend, whose driver compiles it at run time. */
typedef struct lrnde_text {
    const char *backend, *text;
    int32_t tile;                     /* its own samples side by side, */
    int64_t work;                     /* and the most elements of real that one of its workers needs */
    int32_t own[4];                   /* what else the backend's driver has to know of the text: the two's own affair */
} lrnde_text;

typedef struct lrnde_train_desc {
    const char *optimizer;
    int32_t n_slots;                  /* arrays like params the optimizer keeps */
    lrnde_schedule lr;
    int32_t batch;                    /* 0: all samples */
    int32_t steps;
    int32_t evaluate_every;           /* 0: at the end only */
    int32_t evaluate_trajectories;    /* whose mean is evaluated; 0: one */
} lrnde_train_desc;

typedef struct lrnde_model_desc {
    int32_t abi;
    const char *name, *method, *version;
    int32_t real_bytes;               /* 4 or 8 */
    int32_t accumulate_double;        /* f32 storage, matrix products accumulated in double */
    int32_t tile;
    int32_t state;                    /* features of the state */
    const char *const *state_names;   /* (state) or NULL */
    int64_t n_params;
    int32_t n_param_leaves;
    const lrnde_param_desc *param_leaves;
    int32_t n_inputs, n_constants, n_outputs, n_loss, n_metrics;
    const lrnde_input_desc *inputs;
    const lrnde_array_desc *constants, *outputs;
    const lrnde_term_desc *loss, *metrics;
    int32_t n_layers;                 /* of networks that the right-hand side calls, in the order of the calls */
    const char *const *layers;
    const double *u0;                 /* (state) default initial state, or NULL: from data */
    double t0, t1, atol, rtol;
    int32_t tspan_data;               /* t0, t1 are the first and last time of the data */
    int32_t n_saveat;                 /* save times given in the model; 0: t1, or the data's times if saveat_data */
    const double *saveat;
    int32_t saveat_data;
    double h;                         /* fixed step, a length; 0: the error estimate decides */
    int64_t max_steps;
    lrnde_sensitivity sensitivity;
    lrnde_data_desc data;
    lrnde_train_desc train;
    lrnde_regularizer_desc regularizer;
    int32_t n_texts;
    const lrnde_text *texts;
    const lrnde_system_desc *forward; /* component 0 is the state */
    const lrnde_system_desc *adjoint; /* NULL: transposed steps */
#define LRNDE_X(name, doc) lrnde_kernel name;
    LRNDE_MODEL_KERNELS(LRNDE_X)
#undef LRNDE_X
} lrnde_model_desc;

#ifdef __cplusplus
}
#endif
#endif
