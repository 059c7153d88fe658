/*
 * solver.h - what the files of runtime/solve share: the solver object and the functions between them, in reading order.
 *
 * A solve integrates the forward system from slot 0 of its record; hooks look at every accepted step (save times, the local
 * step to regularize).  A sweep walks back, by transposed steps or by integrating the adjoint system with the same loop, and
 * picks up the cotangents of u ("jumps") on its way.
 */
#ifndef LRNDE_SOLVE_SOLVER_H
#define LRNDE_SOLVE_SOLVER_H

#include "driver.h"
#include "lrnde.h"
#include "pieces.h"
#include "solve/record.h"

#include <stdint.h>

#define LRNDE_TRY(call)                                                                                                          \
    do {                                                                                                                         \
        lrnde_status status_ = (call);                                                                                           \
        if (status_) return status_;                                                                                             \
    } while (0)

/* A block of memory, host's or device's, that lives as long as the solver unless it is released. */
typedef struct lrnde__block {
    struct lrnde__block *next;
    void *memory;
    size_t bytes;
    int on_device;
} lrnde__block;

/* The noise of a stochastic integration. */
typedef struct lrnde__noise {
    int stream;   /* of random numbers (io/rng.h) */
    uint64_t key; /* of the path's numbers */
    lrnde_pieces pieces;
    double **piece;     /* (pieces.count) their increments on the device, (n_noise, lanes, state) */
    int64_t piece_room; /* of these tables */
    double *scratch;    /* like a piece: one that is cut, the sum of several */
    void **table;       /* (room, n_noise) arrays: the increments of every step, of the last ones if there is no record */
    int64_t room, steps;
    int64_t held;  /* steps whose increments were set; 0: they are drawn */
    int64_t ahead; /* steps before this one have been drawn */
} lrnde__noise;

/* A step that has been launched, and its sums, which are ready after sync. */
enum { LRNDE__UNSEEN = 64 }; /* such steps, at most */
typedef struct lrnde__unseen {
    const lrnde_system_desc *method;
    double sums[LRNDE_MAX_SUMS];
} lrnde__unseen;

/* One integration under way. */
struct lrnde__run {
    lrnde_solver *s;
    const lrnde_system_desc *sys;
    lrnde__record *record;
    const char *what;                           /* for messages: "solve", "adjoint" */
    void **f0;                                  /* (n_components) scratch for f(t, u) if not FSAL; drift and diffusion */
    lrnde__noise *noise;                        /* NULL: the system is not stochastic */
    void **external;                            /* (n_external) or NULL */
    void (*accepted)(lrnde__run *r, int64_t n); /* after step n was accepted; may be NULL */
    /* Fills external for stages [first, first + n) of the step from t of length h; may be NULL. */
    void (*supply)(lrnde__run *r, double t, double h, int32_t first, int32_t n);
    /*
     * The first time at which `accepted` wants the step that reaches it; t itself: every step.  NULL: of steps that the device
     * takes by itself (course.c) none, for it does the same.
     */
    double (*look)(const lrnde__run *r);
    double atol, rtol;
    double t0;          /* where it started */
    double t, h, e_old; /* now; the next step to try; see control.h */
    double shortest;    /* step that time resolves */
    double deadline;    /* wall clock */
    lrnde__unseen step[LRNDE__UNSEEN];
    int32_t unseen;      /* steps that nobody has looked at */
    const double *sums;  /* of the last step */
    int careful, missed; /* look at every step; something not finite was seen late.  See given.c */
    lrnde_stats stats;
};

/* Save times of the solve, and what is kept there. */
typedef struct lrnde__saves {
    int64_t n, room;
    double *t;                   /* (n) */
    void **u;                    /* (n) arrays */
    void **out;                  /* (n, n_outputs) arrays */
    int64_t done;                /* saved so far */
    double *each;                /* (n, n_sums) sums of head at each, */
    double sums[LRNDE_MAX_SUMS]; /* and over the save times */
} lrnde__saves;

/* Outputs added up over trajectories. */
typedef struct lrnde__ensemble {
    void **total; /* (room, n_outputs) arrays */
    int64_t room;
} lrnde__ensemble;

/* The local step to regularize: how its time is chosen, then the step that was chosen and what is said of it. */
typedef enum lrnde__choice { LRNDE__NO_LOCAL, LRNDE__AT_TIME, LRNDE__OF_STEPS, LRNDE__OF_SAVES } lrnde__choice;
typedef struct lrnde__local {
    lrnde__choice choice;
    double given_h; /* nonzero: the length asked for */
    double own_h;   /* nonzero: that of a step of its own */
    int taken;      /* AT_TIME: done */
    double count;   /* candidates of the reservoir */
    int64_t step;   /* the accepted step it is; -1: one of its own, from u(t) */
    int joined;     /* the sweep's own reverse of that step is the local step's too */
    double t_reg, t, h;
    lrnde__past past;
    const lrnde_system_desc *sys;                /* by the method that took it */
    void *const *carry, *const *next, *const *k; /* the step, where a record has it */
    lrnde__record record;                        /* of two slots: a step of its own, or what another record will not keep */
    lrnde__run run;                              /* takes a step of its own, */
    lrnde__noise noise;                          /* with noise of its own */
    void **cot;                                  /* carry-like, states only: of the regularizers with respect to them */
    double sums[LRNDE_MAX_SUMS];                 /* of the step, then of the kernel local */
    double E, R[LRNDE_MAX_TERMS], w[LRNDE_MAX_TERMS];
} lrnde__local;

/* Cotangents of u that a sweep meets, from the last save time down. */
typedef enum lrnde__source { LRNDE__FROM_NOTHING, LRNDE__FROM_LOSS, LRNDE__FROM_STATE, LRNDE__FROM_OUTPUT } lrnde__source;
typedef struct lrnde__jumps {
    lrnde__source source;
    const char *cot; /* the caller's dL/d(u or output), (B, S, n) */
    int32_t output;
    int64_t left;          /* save times not yet met */
    int32_t local, locals; /* of states the local step is made of: the next one to meet, and how many there are */
    void *u;               /* the one just met */
} lrnde__jumps;

/* The integrals of the continuous sweep, where they take a quadrature rule. */
typedef struct lrnde__quadrature {
    void **sum, **trial; /* (n_integrals); the same with the piece that is tried, then its differences */
    void *lambda, *u;    /* at a node */
} lrnde__quadrature;

/* What u, integrated backwards, is put back to and measured by. */
typedef struct lrnde__retrace {
    double *t; /* checkpoints of the forward solution, (sensitivity.checkpoints) */
    void **u;
    int32_t n, left;
    int64_t stride; /* accepted steps from one to the next */
    double worst;   /* miss, in tolerances */
    int warned;
} lrnde__retrace;

/* Scratch of the discrete sweep. */
typedef struct lrnde__transposed {
    void **cot, **cot_before;         /* carry-like: at the end and the start of a step */
    void **dense_carry, **dense_next; /* what rev_dense writes; dense_next: carry-like, then stages */
    void **sum_carry, **sum_k;        /* over the save times inside a step */
} lrnde__transposed;

/* An array callers can name.  One of shared, samples and table says where it is; none: a setting. */
typedef struct lrnde__entry {
    const char *name; /* text */
    char text[96];
    lrnde_role role;
    int setting;          /* which, see arrays.c */
    void *shared;         /* (rows, size) on the device */
    void *const *samples; /* (times) per-sample arrays of size features, one after another */
    void **const *table;  /* the same, at (*table)[time * pitch + offset] */
    int32_t pitch, offset;
    int64_t rows, size;
    const int64_t *times; /* NULL: one */
    int label, can_set;
    const int *ready; /* NULL: it can always be read */
} lrnde__entry;

struct lrnde_solver {
    const lrnde_model_desc *desc;
    const lrnde_driver *driver;
    lrnde_device *device;
    char refusals[256];    /* of the devices tried before, one line */
    lrnde_options options; /* defaults filled in */
    lrnde_error error;
    lrnde__block *blocks;
    size_t memory, peak;
    int32_t workers, tile;
    int64_t lanes;                      /* tiles x tile */
    int solved, meshed, differentiated; /* what there is to get: states and outputs; all steps, their noise; gradients */
    int recorded;                       /* the solve can be differentiated: nothing it read was changed since */
    int64_t step;                       /* training steps done */
    lrnde_store store;                  /* what the record keeps: the model's choice, or less if memory is limited */
    int64_t checkpoints, planned_steps; /* planned_steps: what checkpoints were chosen for, see store.c */

    lrnde_args args; /* what every launch starts from */
    void *partial;   /* (workers, partial_stride) parameter gradient of the workers */
    size_t partial_stride;
    void *staging; /* host: the largest array, packed */

    void *params, *grad;
    double grad_squares;  /* sum of those of the gradient of parameters */
    void **optimizer;     /* what update writes: params, then (n_slots) like params */
    void **initial;       /* u0, then the constants of the solve */
    void **inputs;        /* (n_inputs) arrays, a series times its save times: those of a batch */
    void **input_batches; /* (options.batches, n_inputs) of the other batches; NULL: not asked for yet */
    int32_t input_batch;
    char *input_set;   /* (options.batches, n_inputs): it is there, as it was last set */
    int64_t series;    /* save times a series has */
    const void **data; /* (n_inputs) as kernels see them at one save time */
    void **cot_initial, **cot_inputs;
    void **cot_outputs; /* what rev_output reads: u, then a cotangent of every output */
    void **adjoint_u;   /* (n_external) of the adjoint: u at their times */

    lrnde__entry *entries;
    int32_t n_entries;
    double *default_t; /* (n_default) save times unless a solve has its own; none: the end */
    int64_t n_default;
    lrnde__saves saves;
    lrnde__ensemble ensemble;
    lrnde__local local;
    lrnde__jumps jumps;
    lrnde__noise noise; /* of the forward solve */
    double path;        /* which of the Brownian paths that a seed has at a training step */
    lrnde__record forward_record, adjoint_record;
    lrnde__run forward, adjoint;
    lrnde__transposed transposed;
    lrnde__quadrature quadrature;
    lrnde__retrace retrace;
    lrnde_course course; /* of either; its tables are there if the driver goes courses */
    int64_t mesh_points; /* of the last solve */
    int on_mesh;         /* they were given */
};

/* error.c */
lrnde_status lrnde__fail(lrnde_solver *s, lrnde_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
lrnde_status lrnde__fail_at(lrnde_solver *s, lrnde_status status, double t, double h, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Waits for the device; fails if it failed, which explains whatever is not finite. */
lrnde_status lrnde__wait(lrnde_solver *s);

void lrnde__log(const lrnde_solver *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lrnde__warn(const lrnde_solver *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* memory.c: NULL on failure, which lrnde__fail has been told. */
void *lrnde__host(lrnde_solver *s, size_t bytes);
void *lrnde__device(lrnde_solver *s, size_t bytes);
void lrnde__release(lrnde_solver *s, void *memory);
void *lrnde__grow(lrnde_solver *s, void *old, int64_t used, int64_t n, size_t element); /* of the host; else the old one stays */
void lrnde__release_all(lrnde_solver *s);
int lrnde__fits(const lrnde_solver *s, size_t bytes);
size_t lrnde__sample_bytes(const lrnde_solver *s, int64_t size);
size_t lrnde__array_bytes(const lrnde_solver *s, const lrnde_array_desc *array);
void **lrnde__arrays(lrnde_solver *s, const lrnde_array_desc *desc, int32_t n);
void **lrnde__state_arrays(lrnde_solver *s, int64_t n);

/* pack.c */
void lrnde__pack(lrnde_solver *s, void *to, int64_t size, const void *from, int64_t stride, int label, int repeat);
void lrnde__unpack(lrnde_solver *s, void *to, int64_t stride, const void *from, int64_t size, int label);

/* arrays.c */
void lrnde__list_arrays(lrnde_solver *s);

/* params.c */
void lrnde__draw_params(lrnde_solver *s);

/* run.c */
void lrnde__run_clock(lrnde__run *r);
lrnde_status lrnde__run_in_time(const lrnde__run *r, const char *what, double t, double h);
void lrnde__take_step(lrnde__run *r, int64_t n, double *sums); /* ready after sync; may be NULL */
void lrnde__end_step(lrnde__run *r, int64_t n);                /* what an accepted step left undone */
lrnde_status lrnde__run_start(lrnde__run *r, double t0, double t1, int automatic);
void lrnde__run_restart(lrnde__run *r);
lrnde_status lrnde__run_to(lrnde__run *r, double stop);
lrnde_status lrnde__run_may_go_on(const lrnde__run *r, double h);   /* whether a step from t of length h may be tried */
void lrnde__run_advance(lrnde__run *r, double t);                   /* by the step that is in its slot, to t; */
void lrnde__run_accept(lrnde__run *r, double t);                    /* and with all that is to be done then */
lrnde_status lrnde__run_give_up(lrnde__run *r, double h, double E); /* what a step that cannot be made shorter means */
lrnde_status lrnde__run_try(lrnde__run *r, double h);               /* launches a step of h from the current slot to the next */
/* Waits for the steps launched: the error norm of the last, 0 without an estimate, or of the first that is not finite. */
lrnde_status lrnde__run_look(lrnde__run *r, double *E);
void lrnde__run_sums(lrnde__run *r, double *sums); /* of the last step */
double lrnde__entries(const lrnde_solver *s, const lrnde_system_desc *sys);

/* given.c: runs are trusted until they have missed something, and are to be begun again then. */
void lrnde__run_trust(lrnde__run *r);
int lrnde__run_again(lrnde__run *r);
double lrnde__fixed_steps(double length, double h); /* the last is shorter, or longer by rounding */
lrnde_status lrnde__run_fixed(lrnde__run *r, double stop);
lrnde_status lrnde__run_mesh(lrnde__run *r, const double *mesh, size_t m);

/* course.c */
void lrnde__course_plan(lrnde_solver *s);
lrnde_status lrnde__course_to(lrnde__run *r, double stop, int *went);

/* noise.c: of a stochastic run.  A trial step asks for its increments, again if it is tried again. */
lrnde_status lrnde__noise_plan(lrnde_solver *s, lrnde__run *r, lrnde__noise *noise, int stream);
lrnde_status lrnde__noise_begin(lrnde__run *r, int adaptive);
lrnde_status lrnde__noise_trial(lrnde__run *r, int64_t n, double h);
lrnde_status lrnde__noise_ahead(lrnde__run *r, const double *t, int32_t n); /* of the next n steps, which end at t[0], ... */
int32_t lrnde__noise_at_once(const lrnde__run *r);                          /* how many steps that may be */
void lrnde__noise_accept(lrnde__run *r, int64_t n);
lrnde_status lrnde__noise_lend(lrnde__run *r, lrnde_course *c);    /* the path to a course, whose slots are known, */
void lrnde__noise_take_back(lrnde__run *r, const lrnde_course *c); /* and back when it is over */
lrnde_status lrnde__noise_end(const lrnde__run *r);
void **lrnde__noise_at(const lrnde__run *r, int64_t n);

/* first.c */
lrnde_status lrnde__first_step(lrnde__run *r, void **carry, void **f0, double t, double t1, double *h);

/* locate.c */
void lrnde__locate(lrnde__run *r, int64_t n);
void lrnde__locate_start(lrnde__run *r, const void *u, const void *f0);

/* dense.c */
void lrnde__dense(lrnde__run *r, int64_t n, double theta, void *u);
void lrnde__extra_stages(lrnde__run *r, int64_t n); /* sees to it that dense output of step n takes no evaluation */
int64_t lrnde__step_at(lrnde__record *r, double t); /* the step that has the state at t */
void lrnde__state_at(lrnde__run *r, double t, void *u);

/* inputs.c */
lrnde_status lrnde__inputs_make(lrnde_solver *s); /* those that are not there */
lrnde_status lrnde__inputs_choose(lrnde_solver *s, double batch);
lrnde_status lrnde__inputs_reserve(lrnde_solver *s, int64_t n); /* series at n save times */
int lrnde__inputs_give_up(lrnde_solver *s);                     /* the other batches; 0: there are none */
void lrnde__inputs_set(lrnde_solver *s, void *const *input);    /* it has been set: an element of s->inputs */
int lrnde__inputs_kept(lrnde_solver *s);                        /* all of the batch are as they were last set */

/* saves.c */
lrnde_status lrnde__saves_set(lrnde_solver *s, const double *t, int64_t n, double t0, double t1);
int lrnde__saves_inside(const lrnde_solver *s, double t0, double t1);
void lrnde__saves_start(lrnde_solver *s);
void lrnde__saves_step(lrnde__run *r, int64_t n);
double lrnde__weight(const lrnde_solver *s);
/* The outputs at the save times and what is said of them, by a kernel like head that has `pitch` inputs; waits for them. */
lrnde_status lrnde__heads(lrnde_solver *s, const lrnde_kernel *head, void *const *in, int32_t pitch, double share);
const void *const *lrnde__data_at(lrnde_solver *s, int64_t save);

/* store.c */
lrnde__keep lrnde__store_keep(lrnde_solver *s);
int lrnde__store_less(lrnde_solver *s); /* after a solve or sweep that did not fit: whether to solve again */

/* solve.c; mesh NULL: adaptive; t NULL: the save times set; keep: the record, for a sweep */
lrnde_status lrnde__solve(lrnde_solver *s, const double *mesh, size_t m, const double *t, size_t n, int keep);
lrnde_status lrnde__solve_again(lrnde_solver *s); /* the last one of a sweep, to the same bits; without a local step */

/* local.c */
void lrnde__local_begin(lrnde_solver *s, lrnde__choice choice, double t, double h);
void lrnde__local_draw(lrnde_solver *s);
void lrnde__local_step(lrnde__run *r, int64_t n);
lrnde_status lrnde__local_evaluate(lrnde_solver *s);
double lrnde__local_sum(const lrnde_solver *s);
void lrnde__local_cotangents(const lrnde_solver *s, double *cot_sums);
int lrnde__local_joins(const lrnde_solver *s);
int32_t lrnde__local_states(const lrnde_solver *s);
void lrnde__local_gradient(lrnde_solver *s);

/* jumps.c */
void lrnde__jumps_begin(lrnde_solver *s, lrnde__source source, int32_t output, const void *cot, int32_t locals);
int lrnde__jump_next(const lrnde_solver *s, double *t);
const void *lrnde__jump_state(const lrnde_solver *s); /* u at the next one */
void lrnde__jump_meet(lrnde_solver *s);

/* quadrature.c */
void lrnde__quadrature_begin(lrnde_solver *s);
void lrnde__quadrature_step(lrnde__run *r, int64_t n);
void lrnde__quadrature_adaptive(lrnde__run *r);

/* retrace.c: forget and step while solving, the rest while sweeping back from t */
void lrnde__retrace_forget(lrnde_solver *s);
void lrnde__retrace_step(lrnde__run *r, int64_t n);
void lrnde__retrace_begin(lrnde_solver *s, double t);
int lrnde__retrace_next(const lrnde_solver *s, double *t);
void lrnde__retrace_meet(lrnde_solver *s, double t, void **carry);
lrnde_status lrnde__retrace_end(lrnde_solver *s);

/* train.c */
void lrnde__report_loss(const lrnde_solver *s, lrnde_report *report);

/* gradient.c, discrete.c, continuous.c */
lrnde_status lrnde__gradient(lrnde_solver *s, lrnde__source source, int32_t output, const void *cot, int local);
lrnde_status lrnde__sweep_discrete(lrnde_solver *s);
lrnde_status lrnde__sweep_continuous(lrnde_solver *s);
void lrnde__share_states(lrnde__run *r, int32_t first, int32_t n); /* which arrays the external states of these stages are */

/* Launches a kernel whose sums, if any, are wanted at once. */
static inline void lrnde__launch_for_sums(lrnde_solver *s, const lrnde_kernel *kernel, const lrnde_args *a, double *sums)
{
    s->driver->launch(s->device, kernel, a, sums);
    if (sums) s->driver->sync(s->device);
}

/* Pointer tables as kernels read them. */
static inline const void *const *lrnde__in(void *const *table)
{
    return (const void *const *)table;
}

#endif
