/*
 * hand.h - descriptors of hand-written models, and the problems they solve.
 *
 *   hand_use(&lotka_volterra, "tsit5");     which problem by which method
 *   hand.sensitivity = ...                  then change what the test is about
 *   lrnde_create(&s, &hand, &options, NULL)
 */
#ifndef HAND_H
#define HAND_H

#include "hand_adjoint.h"
#include "hand_reverse.h"

static void lv_f(const double *u, double t, const double *p, double *du)
{
    (void)t;
    du[0] = p[0] * u[0] - p[1] * u[0] * u[1];
    du[1] = -p[2] * u[1] + p[3] * u[0] * u[1];
}

static void lv_vjp(const double *u, double t, const double *p, const double *w, double *wu, double *wp)
{
    (void)t;
    wu[0] = w[0] * (p[0] - p[1] * u[1]) + w[1] * p[3] * u[1];
    wu[1] = -w[0] * p[1] * u[0] + w[1] * (-p[2] + p[3] * u[0]);
    wp[0] += w[0] * u[0];
    wp[1] -= w[0] * u[0] * u[1];
    wp[2] -= w[1] * u[1];
    wp[3] += w[1] * u[0] * u[1];
}

static void vdp_f(const double *u, double t, const double *p, double *du)
{
    (void)t, (void)p;
    du[0] = u[1];
    du[1] = (1 - u[0] * u[0]) * u[1] - u[0];
}

static void linear_f(const double *u, double t, const double *p, double *du)
{
    (void)t, du[0] = p[0] * u[0];
}

static void nonautonomous_f(const double *u, double t, const double *p, double *du)
{
    (void)p, du[0] = -u[0] * u[0] * sin(t);
}

/* u' = u^2 leaves every bound at t = 1 / u0. */
static void explosion_f(const double *u, double t, const double *p, double *du)
{
    (void)t, (void)p, du[0] = u[0] * u[0];
}

/* Not a number from t = 1/2 on. */
static void broken_f(const double *u, double t, const double *p, double *du)
{
    (void)p, du[0] = u[0] * sqrt(0.5 - t);
}

static const problem lotka_volterra = {2, 4, {1, 1}, {1.5, 1, 3, 1}, 10, lv_f, lv_vjp};
static const problem van_der_pol = {2, 1, {2, 0}, {0}, 20, vdp_f, NULL};
static const problem linear = {1, 1, {1}, {0.98}, 1, linear_f, NULL};
static const problem nonautonomous = {1, 1, {1}, {0}, 2, nonautonomous_f, NULL};
static const problem explosion = {1, 1, {1}, {0}, 2, explosion_f, NULL};
static const problem broken = {1, 1, {1}, {0}, 1, broken_f, NULL};

static lrnde_model_desc hand;
static lrnde_system_desc hand_forward, hand_adjoint;
static lrnde_array_desc hand_carry[2], hand_adjoint_carry[4];
static lrnde_param_desc hand_leaves[2];
static const lrnde_array_desc hand_output = {.name = "total", .size = 1};
static const lrnde_term_desc hand_term = {.name = "total", .weight = 1}, hand_metric = {.name = "first", .weight = 1};
static const lrnde_regularizer_term hand_errors[2] = {
    {.name = "error", .coefficient = {.kind = LRNDE_CONSTANT, .a = 1}, .times_h = 1, .estimate = rms, .rev_estimate = rev_rms},
    {.name = "again", .first_sum = 1, .times_h = 1, .estimate = rms, .rev_estimate = rev_rms}}; /* of k_local, weight 0 */
static lrnde_input_desc hand_input;

static void hand_use(const problem *which, const char *method)
{
    tab = read_tableau(method);
    prob = *which;
    int interior = tab.stages - 2 * tab.fsal, rhs = tab.stages - tab.fsal;
    lrnde_controller controller = {tab.beta1, tab.beta2, 0.9, 0.2, 10, 1};
    hand_carry[0] = (lrnde_array_desc){.name = "u", .size = prob.D};
    hand_carry[1] = (lrnde_array_desc){.name = "k1_u", .size = prob.D};
    hand_forward = (lrnde_system_desc){
        .n_components = 1,
        .n_controlled = 1,
        .n_carry = 1 + tab.fsal,
        .carry = hand_carry,
        .fsal = tab.fsal,
        .stages = tab.stages,
        .order = tab.order,
        .n_k = interior,
        .n_extra = tab.total - tab.stages,
        .n_sums = 1,
        .finish = rms,
        .rev_finish = rev_rms,
        .controller = controller,
        .rhs = {.name = "rhs", .tile = k_rhs, .rhs_evals = 1},
        .first = {.name = "first", .tile = k_first, .n_sums = 2},
        .second = {.name = "second", .tile = k_second, .n_sums = 1, .rhs_evals = 1},
        .step = {.name = "step", .tile = k_step, .n_sums = 1, .rhs_evals = rhs},
        .extra = {.name = "extra", .tile = k_extra, .rhs_evals = tab.total - tab.stages},
        .dense = {.name = "dense", .tile = k_dense},
        .rev_rhs = {.name = "rev_rhs", .tile = k_rev_rhs, .partial = prob.P},
        .rev_step = {.name = "rev_step", .tile = k_rev_step, .partial = prob.P},
        .rev_step_full = {.name = "rev_step_full", .tile = k_rev_step_full, .n_sums = 0, .partial = prob.P},
        .rev_dense = {.name = "rev_dense", .tile = k_rev_dense},
        .local = {.name = "local", .tile = k_local, .n_sums = 1},
        .rev_local = {.name = "rev_local", .tile = k_rev_local, .partial = prob.P},
    };
    hand_adjoint_carry[0] = (lrnde_array_desc){.name = "lambda", .size = prob.D};
    hand_adjoint_carry[1] = (lrnde_array_desc){.name = "g", .size = prob.P, .shared = 1};
    hand_adjoint_carry[2] = (lrnde_array_desc){.name = "k1_lambda", .size = prob.D};
    hand_adjoint_carry[3] = (lrnde_array_desc){.name = "k1_g", .size = prob.P, .shared = 1};
    hand_adjoint = (lrnde_system_desc){
        .n_components = 2,
        .n_controlled = 2,
        .n_carry = 4,
        .carry = hand_adjoint_carry,
        .fsal = 1,
        .stages = tab.stages,
        .order = tab.order,
        .external_c = tab.c,
        .n_external = tab.stages,
        .n_k = interior,
        .n_sums = 1,
        .finish = rms,
        .rev_finish = rev_rms,
        .controller = controller,
        .rhs = {.name = "rhs", .tile = a_rhs, .shared = a_rhs_shared, .shared_size = prob.P, .partial = prob.P, .rhs_evals = 1},
        .first = {.name = "first", .tile = k_first, .shared = a_first_shared, .shared_size = prob.P, .n_sums = 2},
        .second = {.name = "second",
                   .tile = a_second,
                   .shared = a_second_shared,
                   .shared_size = prob.P,
                   .n_sums = 1,
                   .partial = prob.P,
                   .rhs_evals = 1},
        .step = {.name = "step",
                 .tile = a_step,
                 .shared = a_step_shared,
                 .shared_size = prob.P,
                 .n_sums = 1,
                 .partial = (int64_t)tab.stages * prob.P,
                 .rhs_evals = rhs},
    };
    hand_leaves[0] = (lrnde_param_desc){.name = "p1", .offset = 0, .rows = 1, .cols = 1, .values = prob.p};
    hand_leaves[1] = (lrnde_param_desc){.name = "rest", .offset = 1, .rows = 1, .cols = prob.P - 1, .values = prob.p + 1};
    hand = (lrnde_model_desc){
        .abi = LRNDE_ABI,
        .name = "hand",
        .method = method,
        .real_bytes = 8,
        .tile = TILE,
        .state = prob.D,
        .n_params = prob.P,
        .n_param_leaves = 2,
        .param_leaves = hand_leaves,
        .n_outputs = 1,
        .outputs = &hand_output,
        .n_loss = 1,
        .loss = &hand_term,
        .n_metrics = 1,
        .metrics = &hand_metric,
        .u0 = prob.u0,
        .t1 = prob.t1,
        .atol = 1e-8,
        .rtol = 1e-8,
        .sensitivity = {"discrete"},
        .forward = &hand_forward,
        .train = {.optimizer = "sgd", .lr = {.kind = LRNDE_CONSTANT, .a = 0.01}, .steps = 10},
        .regularizer = {.gradient = LRNDE_PARTIAL, .n_terms = 1, .terms = hand_errors},
        .head = {.name = "head", .tile = k_head, .n_sums = 2},
        .rev_head = {.name = "rev_head", .tile = k_rev_head},
        .rev_output = {.name = "rev_output", .tile = k_rev_output},
        .update = {.name = "update", .shared = k_update, .shared_size = prob.P},
    };
}

/* The same model, whose u0 is the input x. */
static inline void hand_use_input(void)
{
    hand_input = (lrnde_input_desc){.name = "x", .size = prob.D};
    hand.u0 = NULL;
    hand.n_inputs = 1;
    hand.inputs = &hand_input;
    hand.init = (lrnde_kernel){.name = "init", .tile = k_init};
    hand.rev_init = (lrnde_kernel){.name = "rev_init", .tile = k_rev_init};
}

static inline void hand_interpolate(void)
{
    hand.adjoint = &hand_adjoint;
    hand.sensitivity = (lrnde_sensitivity){.name = "interpolating", .n_integrals = 1, .integrals = &hand_adjoint_carry[1]};
}

#endif
