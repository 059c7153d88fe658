/*
 * test_stochastic_gradient.c - gradients of stochastic solves against central differences along the same path: of the solution
 * by the discrete adjoint, over every stochastic method, and of the local step, whatever it holds.
 */
#include "stochastic.h"

/* A function of n numbers. */
typedef struct function {
    double (*at)(void *of, const double *x, int n);
    void *of;
} function;

static void check_gradient(const char *what, const double *gradient, double *x, int n, function f)
{
    const double step = 1e-5;
    double largest = 0, worst = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(gradient[i]));
    for (int i = 0; i < n; i++) {
        double at = x[i], ends[2];
        for (int side = 0; side < 2; side++) {
            x[i] = at + (side ? step : -step);
            ends[side] = f.at(f.of, x, n);
        }
        x[i] = at;
        worst = fmax(worst, fabs((ends[1] - ends[0]) / (2 * step) - gradient[i]));
    }
    f.at(f.of, x, n);
    if (!(worst <= 1e-7 * largest)) fail_msg("%s: a gradient is off by %.2e of %.2e", what, worst, largest);
}

/* ---- of the solution ---- */

static void cotangent(double cot[OUT])
{
    for (int i = 0; i < OUT; i++) cot[i] = cos(1.3 * i);
}

/* <cot, y> of a solve over the mesh, the noise held, as a function of an array. */
typedef struct on_mesh {
    lrnde_solver *s;
    const char *name;
    const double *mesh;
    size_t m;
} on_mesh;

static double of_solve(void *of, const double *x, int n)
{
    const on_mesh *v = of;
    double y[OUT], cot[OUT], sum = 0;
    cotangent(cot);
    OK(lrnde_set(v->s, v->name, x, (size_t)n * sizeof *x));
    OK(lrnde_solve_mesh(v->s, v->mesh, v->m, NULL, 0, NULL));
    OK(lrnde_get(v->s, "y", y, sizeof y));
    for (int i = 0; i < OUT; i++) sum += cot[i] * y[i];
    return sum;
}

static size_t count_of(lrnde_solver *s, const char *name, int dim)
{
    lrnde_array array;
    OK(lrnde_array_find(s, name, &array));
    return (size_t)array.dims[dim];
}

/*
 * The discrete adjoint over the accepted steps and their increments, against differences of solves that replay them; save
 * times at the start, inside a step and at the end.
 */
static void discrete_gradient(const char *method, const char *family, double order, bool adaptive)
{
    (void)order;
    const lrnde_model_desc *desc = build_stochastic("stochastic", method, family, "regularize=false", NULL);
    lrnde_solver *s = create(desc, (lrnde_options){.batch = BATCH, .training = 1, .seed = 3, .h = adaptive ? 0 : 0.07});
    inputs in = some_inputs();
    double cot[OUT], before[OUT], after[OUT], params[MOST_PARAMS], grad[MOST_PARAMS], grad_u[BATCH * D], grad_drive[BATCH * 2];
    lrnde_stats stats;
    give(s, &in);
    cotangent(cot);
    OK(lrnde_solve(s, NULL, 0, &stats));
    const size_t m = count_of(s, "mesh", 0), n = (m - 1) * BATCH * D;
    double *mesh = reals((int64_t)m), *noise[2] = {reals((int64_t)n), reals((int64_t)n)};
    const char *const names[] = {"noise/dW", "noise/dZ"};
    OK(lrnde_get(s, "mesh", mesh, m * sizeof *mesh));
    for (int q = 0; q < desc->forward->n_noise; q++) OK(lrnde_get(s, names[q], noise[q], n * sizeof(double)));
    OK(lrnde_get(s, "y", before, sizeof before));
    OK(lrnde_gradient(s, "y", cot, sizeof cot));
    OK(lrnde_get(s, "grad/params", grad, (size_t)desc->n_params * sizeof *grad));
    OK(lrnde_get(s, "grad/u", grad_u, sizeof grad_u));
    OK(lrnde_get(s, "grad/drive", grad_drive, sizeof grad_drive));

    OK(lrnde_solve(s, NULL, 0, NULL)); /* the same path again: the same bits */
    OK(lrnde_get(s, "y", after, sizeof after));
    assert_memory_equal(after, before, sizeof before);
    OK(lrnde_set(s, "path", &(double){1}, sizeof(double)));
    OK(lrnde_solve_mesh(s, mesh, m, NULL, 0, NULL)); /* another path over the same steps, into which the noise is put */
    for (int q = 0; q < desc->forward->n_noise; q++) OK(lrnde_set(s, names[q], noise[q], n * sizeof(double)));
    if (adaptive) assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_ARGUMENT);
    OK(lrnde_solve_mesh(s, mesh, m, NULL, 0, NULL));
    OK(lrnde_get(s, "y", after, sizeof after));
    for (int i = 0; i < OUT; i++) assert_true(fabs(after[i] - before[i]) < 1e-12);

    on_mesh of = {s, "params", mesh, m};
    OK(lrnde_get(s, "params", params, (size_t)desc->n_params * sizeof *params));
    check_gradient(method, grad, params, (int)desc->n_params, (function){of_solve, &of});
    of.name = "drive";
    check_gradient(method, grad_drive, in.drive[0], BATCH * 2, (function){of_solve, &of});
    print_message("           %-14s %lld + %lld steps: %lld drifts, %lld diffusions\n", method, (long long)stats.accepted,
                  (long long)stats.rejected, (long long)stats.nfe, (long long)stats.nfe_diffusion);
    free(mesh);
    free(noise[0]);
    free(noise[1]);
    lrnde_destroy(s);
}

/* Steps that are taken again have the increments of the first time: the same bits. */
static void checkpoints(const char *method, const char *family, double order, bool adaptive)
{
    (void)order;
    double cot[OUT], grad[2][MOST_PARAMS];
    cotangent(cot);
    for (int few = 0; few < 2; few++) {
        const lrnde_model_desc *desc = build_stochastic("stochastic", method, family, "regularize=false",
                                                        few ? "sensitivity={\"discrete\",checkpoints=3}" : NULL);
        lrnde_solver *s = create(desc, (lrnde_options){.batch = BATCH, .training = 1, .seed = 3, .h = adaptive ? 0 : 0.07});
        inputs in = some_inputs();
        give(s, &in);
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_gradient(s, "y", cot, sizeof cot));
        OK(lrnde_get(s, "grad/params", grad[few], (size_t)desc->n_params * sizeof(double)));
        if (few) assert_memory_equal(grad[0], grad[1], (size_t)desc->n_params * sizeof(double));
        lrnde_destroy(s);
    }
}

static void the_record_keeps_little(void **state)
{
    (void)state;
    each_method(checkpoints);
}

static void discrete_gradients(void **state)
{
    (void)state;
    each_method(discrete_gradient);
}

/* ---- of the local step ---- */

static const double FIXED_H = 0.1, TOLERANCE = 0.1;

typedef enum held { TRUNCATED, PARTIAL, TOTAL } held;
static const char *const HELD[] = {"truncated", "partial", "total"};

/*
 * What a training step minimizes, as a function of a parameter: the loss of the whole solve, and w R of the local step.  Unless
 * the gradient is total that step begins a solve of its own, whose start is what u was; if it is truncated, with the drift that
 * there was at its start (the model's parameter `first`).
 */
typedef struct minimized {
    lrnde_solver *whole, *alone;
    held held;
    const char *name;
    double t, h, w; /* of the local step; h = 0: the accepted step */
} minimized;

static double of_minimized(void *of, const double *x, int n)
{
    const minimized *v = of;
    lrnde_report r;
    lrnde_local_report local;
    OK(lrnde_set(v->whole, v->name, x, (size_t)n * sizeof *x));
    OK(lrnde_loss(v->whole, &r));
    if (v->held != TRUNCATED || strcmp(v->name, "first")) OK(lrnde_set(v->alone, v->name, x, (size_t)n * sizeof *x));
    OK(lrnde_local(v->held == TOTAL ? v->whole : v->alone, v->t, v->h, &local));
    return r.loss + v->w * local.reg;
}

/* A solver whose first step is the local step: from the same u, with the same increments. */
static lrnde_solver *alone(lrnde_solver *s, const lrnde_local_report *local, bool accepted)
{
    lrnde_solver *a = create(
        lrnde_model(s),
        (lrnde_options){
            .batch = BATCH, .training = 1, .seed = 5, .atol = TOLERANCE, .rtol = TOLERANCE, .h = accepted ? local->h : FIXED_H});
    inputs in = some_inputs();
    double u[BATCH][D], end = accepted ? local->t + local->h : 1;
    OK(lrnde_solve(s, &local->t, 1, NULL));
    OK(lrnde_get(s, "y", u, sizeof u));
    for (int b = 0; b < BATCH; b++) memcpy(in.u[b][0], u[b], sizeof u[b]);
    in.t[0] = local->t, in.t[1] = in.t[2] = end;
    OK(lrnde_set(a, "tspan", ((double[]){local->t, end}), 2 * sizeof(double)));
    give(a, &in);
    OK(lrnde_set(a, "at", &local->t, sizeof local->t));
    if (!accepted) return a; /* a step of its own has its own noise, which a seed has for every start */
    const int64_t steps = lround(1 / FIXED_H), n = lround(local->t / FIXED_H);
    const char *const names[] = {"noise/dW", "noise/dZ"};
    double *all = reals(BATCH * steps * D), one[BATCH][D];
    OK(lrnde_solve(a, NULL, 0, NULL));
    for (int q = 0; q < lrnde_model(s)->forward->n_noise; q++) {
        OK(lrnde_get(s, names[q], all, (size_t)(BATCH * steps * D) * sizeof *all));
        for (int b = 0; b < BATCH; b++) memcpy(one[b], all + (b * steps + n) * D, sizeof one[b]);
        OK(lrnde_set(a, names[q], one, sizeof one));
    }
    free(all);
    return a;
}

static void check_local_step(const lrnde_model_desc *model, held held, lrnde_regularize sampling, bool accepted)
{
    static const char *const PARAMETERS[] = {"first", "rest", "noise"};
    char what[96];
    lrnde_model_desc desc = *model;
    desc.regularizer.sampling = sampling;
    desc.regularizer.automatic_step = !accepted;
    lrnde_solver *s = create(
        &desc, (lrnde_options){.batch = BATCH, .training = 1, .seed = 5, .atol = TOLERANCE, .rtol = TOLERANCE, .h = FIXED_H});
    inputs in = some_inputs();
    lrnde_report r;
    lrnde_local_report local, again;
    give(s, &in);
    OK(lrnde_loss_gradient(s, &r));
    OK(lrnde_local(s, r.t_reg, accepted ? 0 : r.h_reg, &local));
    assert_true(fabs(local.reg / r.reg - 1) < 1e-14 && fabs(local.reg - local.E * local.h) < 1e-15);
    OK(lrnde_set(s, "at", &local.t, sizeof local.t));
    minimized v = {s, alone(s, &local, accepted), held, NULL, local.t, accepted ? 0 : local.h, r.w_reg};
    OK(lrnde_local(v.alone, v.t, v.h, &again));
    assert_true(fabs(again.reg / local.reg - 1) < 1e-12);
    for (int p = 0; p < 3; p++) {
        double x[4], gradient[4];
        char key[32];
        lrnde_array array;
        v.name = PARAMETERS[p];
        snprintf(key, sizeof key, "grad/%s", v.name);
        snprintf(what, sizeof what, "%s, %s, %s step, grad/%s", model->method, HELD[held], accepted ? "accepted" : "own", v.name);
        OK(lrnde_array_find(s, v.name, &array));
        OK(lrnde_get(s, v.name, x, array.bytes));
        OK(lrnde_loss_gradient(s, &r));
        OK(lrnde_get(s, key, gradient, array.bytes));
        check_gradient(what, gradient, x, (int)(array.bytes / sizeof *x), (function){of_minimized, &v});
    }
    lrnde_destroy(v.alone);
    lrnde_destroy(s);
}

static void local_steps(void **state)
{
    (void)state;
    for (int additive = 0; additive < 2; additive++)
        for (held held = TRUNCATED; held <= TOTAL; held++) {
            char setting[64];
            snprintf(setting, sizeof setting, "regularize.gradient=%s", HELD[held]);
            const lrnde_model_desc *m =
                build_stochastic("first_stage", additive ? "sosra" : "sosri", additive ? "sra" : "sri", setting, NULL);
            for (int accepted = 0; accepted < 2; accepted++) {
                check_local_step(m, held, LRNDE_REG_UNBIASED, accepted);
                check_local_step(m, held, LRNDE_REG_BIASED, accepted);
            }
        }
}

int main(void)
{
    setenv("CC", "tests/quick_cc.sh", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discrete_gradients),
        cmocka_unit_test(the_record_keeps_little),
        cmocka_unit_test(local_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
