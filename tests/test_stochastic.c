/*
 * test_stochastic.c - stochastic solves: the strong order of every method, on paths that coarser meshes share; Brownian motion
 * that rejected steps do not bias; what the sweep back replays.
 *
 * Methods are those of tableaus/ that are stochastic.  $LRNDE_PATHS: how many paths the moments are of.
 */
#include "allocations.h"
#include "lrnde.h"
#include "methods.h"
#include "registries.h"

#include "cli/build.h"
#include "solve/solver.h"

#include <math.h>

#define OK(call) assert_int_equal(call, LRNDE_OK)

static const options_tool TOOL = {.program = "test_stochastic"};

enum { PATHS = 1000, FINEST = 512, LEVELS = 5, MOST_SETTINGS = 3 };

static const lrnde_model_desc *build(const char *file, const char *method, const char *const *settings)
{
    const lrnde_model_desc *m;
    build_request request = {.model_file = file, .method = method, .set = {.v = (const char **)settings}};
    while (settings && request.set.n < MOST_SETTINGS && settings[request.set.n]) request.set.n++;
    assert_int_equal(build_model(&request, &TOOL, &m), EXIT_DONE);
    return m;
}

static lrnde_solver *create(const lrnde_model_desc *m, lrnde_options o)
{
    lrnde_solver *s;
    lrnde_error error = {0};
    o.size = sizeof o;
    if (!o.threads) o.threads = 1;
    if (lrnde_create(&s, m, &o, &error)) fail_msg("%s", error.text);
    return s;
}

static double *reals(int64_t n)
{
    double *x = calloc((size_t)n, sizeof *x);
    assert_non_null(x);
    return x;
}

/* ---- strong order ---- */

/* Equations of a model and their solutions at t = 1. */
typedef struct known {
    const char *model;
    int32_t state;
    double (*solution)(int32_t i, double W);
} known;

static double known_path(int32_t i, double W)
{
    switch (i) {
    case 0: return 0.5 * exp(1.01 - 0.87 * 0.87 / 2 + 0.87 * W);
    case 1: return tanh(W / 2 + atanh(0.5));
    default: return atan(W / 10 + tan(1));
    }
}

static double known_additive(int32_t i, double W)
{
    (void)i;
    return (1 + 0.05 * (1 + 0.1 * W)) / sqrt(2);
}

static const known PATHS_KNOWN = {"tests/numeric/models/known_paths.lua", 3, known_path},
                   ADDITIVE_KNOWN = {"tests/numeric/models/known_additive.lua", 1, known_additive};

/*
 * Two steps of h as one of 2 h: dW = dWa + dWb, I = Ia + Ib + h dWa, where I = int (W(s) - W(t)) ds = h/2 (dW + dZ / sqrt 3)
 * over a step from t.
 */
static void coarsen(double *dW, double *dZ, int64_t n, int32_t state, double h)
{
    for (int64_t step = 0; step < n / 2; step++)
        for (int32_t i = 0; i < state; i++) {
            const int64_t to = step * state + i, a = 2 * step * state + i, b = a + state;
            double w = dW[a] + dW[b];
            if (dZ) {
                double I = h / 2 * (dW[a] + dZ[a] / sqrt(3)) + h / 2 * (dW[b] + dZ[b] / sqrt(3)) + h * dW[a];
                dZ[to] = sqrt(3) * (I / h - w);
            }
            dW[to] = w;
        }
}

/* Over n steps, of the increments given in rows of PATHS: RMS errors over the paths, one an equation. */
static void errors_of(lrnde_solver *s, const known *k, int64_t n, double *dW, double *dZ, double *rms)
{
    double mesh[FINEST + 1], *u = reals(PATHS * k->state);
    for (int64_t i = 0; i <= n; i++) mesh[i] = (double)i / (double)n;
    OK(lrnde_solve_mesh(s, mesh, (size_t)n + 1, NULL, 0, NULL));
    if (n == FINEST) {
        OK(lrnde_get(s, "noise/dW", dW, (size_t)(PATHS * n * k->state) * sizeof *dW));
        if (dZ) OK(lrnde_get(s, "noise/dZ", dZ, (size_t)(PATHS * n * k->state) * sizeof *dZ));
    } else {
        OK(lrnde_set(s, "noise/dW", dW, (size_t)(PATHS * n * k->state) * sizeof *dW));
        if (dZ) OK(lrnde_set(s, "noise/dZ", dZ, (size_t)(PATHS * n * k->state) * sizeof *dZ));
        OK(lrnde_solve_mesh(s, mesh, (size_t)n + 1, NULL, 0, NULL));
        OK(lrnde_set(s, "path", &(double){0}, sizeof(double)));
    }
    OK(lrnde_get(s, "u", u, (size_t)(PATHS * k->state) * sizeof *u));
    for (int32_t i = 0; i < k->state; i++) {
        double sum = 0;
        for (int64_t path = 0; path < PATHS; path++) {
            double W = 0;
            for (int64_t step = 0; step < n; step++) W += dW[(path * n + step) * k->state + i];
            double e = u[path * k->state + i] - k->solution(i, W);
            sum += e * e;
        }
        rms[i] = sqrt(sum / PATHS);
    }
    free(u);
}

/* The slope of log2(error) over log2(h), by least squares. */
static double slope(double rms[LEVELS][3], int32_t i)
{
    double x = 0, y = 0, xx = 0, xy = 0;
    for (int level = 0; level < LEVELS; level++) {
        double e = log2(rms[level][i]);
        x += level, y += e, xx += level * level, xy += level * e;
    }
    return (LEVELS * xy - x * y) / (LEVELS * xx - x * x);
}

static void check_order(const known *k, const char *method, double order)
{
    const lrnde_model_desc *m = build(k->model, method, NULL);
    lrnde_solver *s = create(m, (lrnde_options){.batch = PATHS, .training = 1, .seed = 1});
    double *dW = reals(PATHS * FINEST * k->state), *dZ = m->forward->n_noise == 2 ? reals(PATHS * FINEST * k->state) : NULL;
    double rms[LEVELS][3];
    int64_t n = FINEST;
    for (int level = 0; level < LEVELS; level++, n /= 2) {
        if (level > 0)
            for (int64_t path = 0; path < PATHS; path++) {
                double *w = dW + path * 2 * n * k->state, *z = dZ ? dZ + path * 2 * n * k->state : NULL;
                coarsen(w, z, 2 * n, k->state, 0.5 / (double)n);
                memmove(dW + path * n * k->state, w, (size_t)(n * k->state) * sizeof *w);
                if (dZ) memmove(dZ + path * n * k->state, z, (size_t)(n * k->state) * sizeof *z);
            }
        errors_of(s, k, n, dW, dZ, rms[level]);
    }
    for (int32_t i = 0; i < k->state; i++) {
        double measured = slope(rms, i);
        print_message("           %s, equation %d: strong order %.3f, finest error %.2e\n", method, (int)i, measured, rms[0][i]);
        if (!(fabs(measured - order) < 0.1)) fail_msg("%s: strong order %.3f, not %g", method, measured, order);
    }
    free(dW);
    free(dZ);
    lrnde_destroy(s);
}

/* Calls visit for every stochastic method. */
static void each_method(void (*visit)(const char *name, const char *family, double order, bool adaptive))
{
    names methods = lua_files("tableaus");
    int n = 0;
    for (int i = 0; i < methods.n; i++) {
        json_t *report = method_report(methods.path[i]);
        const char *family = json_string_value(json_object_get(report, "family"));
        if (!strcmp(family, "sri") || !strcmp(family, "sra")) {
            visit(json_string_value(json_object_get(report, "name")), family, json_number_value(json_object_get(report, "order")),
                  json_is_true(json_object_get(report, "adaptive")));
            n++;
        }
        json_decref(report);
    }
    assert_true(n > 0);
}

static void strong_order(const char *name, const char *family, double order, bool adaptive)
{
    (void)adaptive;
    if (!strcmp(family, "sra"))
        check_order(&ADDITIVE_KNOWN, name, 2); /* the drift is linear */
    else
        check_order(&PATHS_KNOWN, name, order);
}

static void strong_orders(void **state)
{
    (void)state;
    each_method(strong_order);
}

/* ---- Brownian motion under rejection ---- */

/* A solver of one sample whose noise is drawn by hand. */
static lrnde_solver *by_hand(void)
{
    lrnde_solver *s = create(build(ADDITIVE_KNOWN.model, "sra1", NULL), (lrnde_options){.batch = 1});
    OK(lrnde__record_open(s, &s->forward_record, s->desc->forward, 0, 0, 0));
    return s;
}

static void trial(lrnde_solver *s, double h, double w[2])
{
    OK(lrnde__noise_trial(&s->forward, 0, h));
    for (int q = 0; q < 2; q++) w[q] = *(const double *)lrnde__noise_at(&s->forward, 0)[q];
}

/* Sums of powers of W(1) and Z(1) over paths whose steps are rejected where they move far. */
typedef struct moments {
    double n, rejected, m2[2], m4[2];
} moments;

/* One path to t = 1.  forget: a rejected step's increments are lost, as in naive rejection. */
static void walk(lrnde_solver *s, int64_t path, bool forget, moments *m)
{
    double t = 0, h = 1, W[2] = {0, 0}, w[2];
    OK(lrnde_set(s, "path", &(double){(double)path}, sizeof(double)));
    OK(lrnde__noise_begin(&s->forward, 1));
    while (t < 1) {
        if (h > 1 - t) h = 1 - t;
        trial(s, h, w);
        if (fmax(fabs(w[0]), fabs(w[1])) > 0.3) {
            m->rejected++;
            if (forget) lrnde__noise_accept(&s->forward, 0);
            h *= 0.37;
        } else {
            lrnde__noise_accept(&s->forward, 0);
            W[0] += w[0], W[1] += w[1];
            t = h == 1 - t ? 1 : t + h;
            h *= 1.7;
        }
    }
    m->n++;
    for (int q = 0; q < 2; q++) m->m2[q] += W[q] * W[q], m->m4[q] += W[q] * W[q] * W[q] * W[q];
}

static void rejection_does_not_bias(void **state)
{
    (void)state;
    const char *asked = getenv("LRNDE_PATHS");
    const int64_t paths = asked ? atoll(asked) : 20000;
    lrnde_solver *s = by_hand();
    moments m = {0}, naive = {0};
    for (int64_t path = 0; path < paths; path++) walk(s, path, false, &m);
    for (int64_t path = 0; path < 2000; path++) walk(s, path, true, &naive);
    print_message("           %.0f paths, %.2f rejections a path; naive: var %.3f\n", m.n, m.rejected / m.n,
                  naive.m2[0] / naive.n);
    assert_true(m.rejected > 2 * m.n);
    assert_true(naive.m2[0] < 0.8 * naive.n);
    for (int q = 0; q < 2; q++) {
        double var = m.m2[q] / m.n, fourth = m.m4[q] / m.n, z2 = (var - 1) / sqrt(2 / m.n), z4 = (fourth - 3) / sqrt(96 / m.n);
        print_message("           %s(1): var %.5f (%+.2f standard errors), fourth moment %.5f (%+.2f)\n", q ? "Z" : "W", var, z2,
                      fourth, z4);
        assert_true(fabs(z2) < 3 && fabs(z4) < 3);
    }
    lrnde_destroy(s);
}

/* However a rejected step is cut, its parts add up to it, and what comes after is as if it had never been cut. */
static void parts_add_up(void **state)
{
    (void)state;
    lrnde_solver *s = by_hand();
    static const double cuts[][3] = {{0.5, 0.25, 0.25}, {0.1, 0.6, 0.3}, {0.999, 0.0005, 0.0005}};
    double whole[2], after[2], w[2];
    for (int i = 0; i < 3; i++) {
        OK(lrnde__noise_begin(&s->forward, 1));
        trial(s, 1, whole);
        double left[2] = {whole[0], whole[1]};
        for (int part = 0; part < 3; part++) {
            if (part < 2) trial(s, 2 * cuts[i][part], w); /* is rejected too */
            trial(s, cuts[i][part], w);
            lrnde__noise_accept(&s->forward, 0);
            for (int q = 0; q < 2; q++) left[q] -= w[q];
        }
        for (int q = 0; q < 2; q++) assert_true(fabs(left[q]) < 1e-14);
        assert_null(s->noise.used);
        trial(s, 1, after);
        for (int q = 0; q < 2; q++) assert_true(fabs(after[q] - whole[q]) > 1e-3);
    }
    lrnde_destroy(s);
}

/* ---- replay and gradients ---- */

enum { BATCH = 3, SAVES = 3, D = 2, MOST_PARAMS = 64 };

/* The data of tests/models/stochastic.lua. */
typedef struct inputs {
    double t[SAVES], u[BATCH][SAVES][D], drive[BATCH][2];
} inputs;

static inputs some_inputs(void)
{
    inputs in = {.t = {0, 0.43, 1}};
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < SAVES * D; i++) in.u[b][i / D][i % D] = sin(1 + b + 2 * i);
    for (int b = 0; b < BATCH; b++) in.drive[b][0] = 0.3 + 0.2 * b, in.drive[b][1] = 0.5 - 0.1 * b;
    return in;
}

static void give(lrnde_solver *s, const inputs *in)
{
    OK(lrnde_set(s, "t", in->t, sizeof in->t));
    OK(lrnde_set(s, "u", in->u, sizeof in->u));
    OK(lrnde_set(s, "drive", in->drive, sizeof in->drive));
}
enum { OUT = BATCH * SAVES * D };

static void cotangent(double cot[OUT])
{
    for (int i = 0; i < OUT; i++) cot[i] = cos(1.3 * i);
}

/* <cot, y> of a solve over the mesh, the noise held. */
static double value_on_mesh(lrnde_solver *s, const double *mesh, size_t m)
{
    double y[OUT], cot[OUT], sum = 0;
    cotangent(cot);
    OK(lrnde_solve_mesh(s, mesh, m, NULL, 0, NULL));
    OK(lrnde_get(s, "y", y, sizeof y));
    for (int i = 0; i < OUT; i++) sum += cot[i] * y[i];
    return sum;
}

/* A value of the solver, for differences of it. */
typedef struct value_of {
    double (*value)(lrnde_solver *s, const double *mesh, size_t m);
    const double *mesh;
    size_t m;
} value_of;

/* "grad/<name>" against central differences of the value by each of the n numbers of an array. */
static void check_gradient(lrnde_solver *s, const char *what, const char *name, const double *gradient, double *x, int n,
                           value_of f)
{
    const double step = 1e-5;
    double largest = 0, worst = 0;
    for (int i = 0; i < n; i++) largest = fmax(largest, fabs(gradient[i]));
    for (int i = 0; i < n; i++) {
        double at = x[i], ends[2];
        for (int side = 0; side < 2; side++) {
            x[i] = at + (side ? step : -step);
            OK(lrnde_set(s, name, x, (size_t)n * sizeof *x));
            ends[side] = f.value(s, f.mesh, f.m);
        }
        x[i] = at;
        worst = fmax(worst, fabs((ends[1] - ends[0]) / (2 * step) - gradient[i]));
    }
    OK(lrnde_set(s, name, x, (size_t)n * sizeof *x));
    if (!(worst < 1e-7 * largest)) fail_msg("%s: grad/%s is off by %.2e of %.2e", what, name, worst, largest);
}

/* The settings of tests/models/stochastic.lua for a method, and one more. */
static const lrnde_model_desc *build_stochastic(const char *method, const char *family, bool adaptive, const char *regularize,
                                                const char *more)
{
    const char *settings[MOST_SETTINGS] = {adaptive ? regularize : "regularize=false"};
    int n = 1;
    if (!strcmp(family, "sra")) settings[n++] = "additive=true";
    settings[n] = more;
    return build("tests/models/stochastic.lua", method, settings);
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
    const lrnde_model_desc *desc = build_stochastic(method, family, adaptive, "regularize=false", NULL);
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

    value_of f = {value_on_mesh, mesh, m};
    OK(lrnde_get(s, "params", params, (size_t)desc->n_params * sizeof *params));
    check_gradient(s, method, "params", grad, params, (int)desc->n_params, f);
    check_gradient(s, method, "drive", grad_drive, in.drive[0], BATCH * 2, f);
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
        const lrnde_model_desc *desc = build_stochastic(method, family, adaptive, "regularize=false",
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

/* ---- the local step ---- */

/* What a training step minimizes, its steps fixed and its times and noise those of step 1. */
static double minimized(lrnde_solver *s, const double *mesh, size_t m)
{
    (void)mesh, (void)m;
    lrnde_report r;
    OK(lrnde_loss_gradient(s, &r));
    return r.loss + r.w_reg * r.reg;
}

/* R of a local step inside a fixed step, of a length of its own. */
static double inside_a_step(lrnde_solver *s, const double *mesh, size_t m)
{
    (void)mesh, (void)m;
    lrnde_local_report r;
    OK(lrnde_local(s, 0.43, 0.07, &r));
    assert_true(r.t == 0.43 && r.h == 0.07 && fabs(r.reg - r.E * r.h) < 1e-15);
    return r.reg;
}

static void regularized_gradients(void **state)
{
    (void)state;
    const char *const samplings[] = {"regularize={sampling=\"unbiased\",gradient=\"total\"}",
                                     "regularize={sampling=\"biased\",gradient=\"total\"}"};
    for (int i = 0; i < 2; i++)
        for (int additive = 0; additive < 2; additive++) {
            const char *method = additive ? "sosra" : "sosri";
            const lrnde_model_desc *desc = build_stochastic(method, additive ? "sra" : "sri", true, samplings[i], NULL);
            lrnde_solver *s = create(desc, (lrnde_options){.batch = BATCH, .training = 1, .seed = 5, .h = 0.1});
            inputs in = some_inputs();
            double params[MOST_PARAMS], grad[MOST_PARAMS];
            give(s, &in);
            OK(lrnde_get(s, "params", params, (size_t)desc->n_params * sizeof *params));
            double (*const values[])(lrnde_solver *, const double *, size_t) = {minimized, inside_a_step};
            for (int v = 0; v < 2; v++) {
                double first = values[v](s, NULL, 0);
                OK(lrnde_get(s, "grad/params", grad, (size_t)desc->n_params * sizeof *grad));
                assert_true(first == values[v](s, NULL, 0));
                check_gradient(s, samplings[i], "params", grad, params, (int)desc->n_params, (value_of){values[v], NULL, 0});
            }
            lrnde_destroy(s);
        }
}

/* The automatic first step, written down for one equation as its authors have it; and what is counted. */
static void first_step_and_counts(void **state)
{
    (void)state;
    const double mu = 1.01, sigma = 0.87, u = 0.5, tol = 1e-2, sc = tol + u * tol;
    double f0 = mu * u, g0 = 3 * sigma * u, d0 = u / sc, d1 = fmax(fabs(f0 + g0), fabs(f0 - g0)) / sc, dt0 = d0 / d1 / 100;
    double f1 = mu * (u + dt0 * f0), g1 = 3 * sigma * (u + dt0 * f0), dg = fmax(fabs(g0 - g1), fabs(g0 + g1));
    double d2 = fmax(fabs(f1 - f0 + dg), fabs(f1 - f0 - dg)) / sc / dt0;
    double expected = fmin(100 * dt0, pow(10, -(2 + log10(fmax(d1, d2))) / 2));
    const struct {
        const char *method;
        int drifts, diffusions;
    } table[] = {{"sosri", 4, 4}, {"sriw1", 2, 4}};
    for (int i = 0; i < 2; i++) {
        lrnde_solver *s = create(build("models/gbm.lua", table[i].method, NULL), (lrnde_options){.batch = 1});
        lrnde_stats st;
        OK(lrnde_solve(s, NULL, 0, &st));
        assert_true(fabs(st.first_h / expected - 1) < 1e-12);
        assert_int_equal(st.nfe, 2 + table[i].drifts * (st.accepted + st.rejected));
        assert_int_equal(st.nfe_diffusion, 2 + table[i].diffusions * (st.accepted + st.rejected));
        assert_int_equal(st.rhs_calls, st.nfe);
        lrnde_destroy(s);
    }
}

/* A sample has its path whatever the batch and the threads. */
static void paths_of_samples(void **state)
{
    (void)state;
    const lrnde_model_desc *m = build("tests/numeric/models/known_paths.lua", "sosri", NULL);
    double mesh[9], u[17][3], alone[3][3];
    for (int i = 0; i < 9; i++) mesh[i] = i / 8.0;
    for (int threads = 1; threads < 3; threads++) {
        lrnde_solver *all = create(m, (lrnde_options){.batch = 17, .threads = threads}),
                     *few = create(m, (lrnde_options){.batch = 3});
        OK(lrnde_solve_mesh(all, mesh, 9, NULL, 0, NULL));
        OK(lrnde_solve_mesh(few, mesh, 9, NULL, 0, NULL));
        OK(lrnde_get(all, "u", u, sizeof u));
        OK(lrnde_get(few, "u", alone, sizeof alone));
        assert_memory_equal(u, alone, sizeof alone);
        assert_true(u[0][0] != u[1][0] && u[0][1] != u[0][0]);
        lrnde_destroy(all);
        lrnde_destroy(few);
    }
}

#ifndef __SANITIZE_ADDRESS__
static void solves_allocate_once(void **state)
{
    (void)state;
    const lrnde_model_desc *desc = build_stochastic("sosra", "sra", true, "regularize=true", NULL);
    for (int training = 0; training < 2; training++) {
        lrnde_solver *s = create(desc, (lrnde_options){.batch = BATCH, .training = training, .seed = 3});
        inputs in = some_inputs();
        lrnde_report r;
        int64_t rejected = 0;
        long before = 0;
        give(s, &in);
        for (int i = 0; i < 3; i++) {
            OK(training ? lrnde_loss_gradient(s, &r) : lrnde_loss(s, &r));
            rejected += r.forward.rejected;
            if (i == 0) before = allocations;
        }
        assert_true(rejected > 0);
        assert_int_equal(allocations, before);
        lrnde_destroy(s);
    }
}
#endif

/* Where it stopped being finite: no stage is known, but the sample is. */
static void not_finite(void **state)
{
    (void)state;
    const lrnde_model_desc *m = build("models/gbm.lua", "sosri", NULL);
    lrnde_solver *s = create(m, (lrnde_options){.batch = 3, .h = 0.25});
    double u0[3] = {1, 1e308, 1};
    OK(lrnde_set(s, "u0", u0, sizeof u0));
    OK(lrnde_set(s, "mu", &(double){1e10}, sizeof(double)));
    assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_NOT_FINITE);
    assert_int_equal(lrnde_last_error(s)->sample, 1);
    assert_int_equal(lrnde_last_error(s)->stage, -1);
    lrnde_destroy(s);
}

static void failures(void **state)
{
    (void)state;
    const lrnde_model_desc *m = build("models/gbm.lua", NULL, NULL);
    lrnde_solver *s = create(m, (lrnde_options){.batch = 1, .training = 1});
    OK(lrnde_set(s, "tspan", ((double[]){1, 0}), 2 * sizeof(double)));
    assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_ARGUMENT);
    assert_non_null(strstr(lrnde_last_error(s)->text, "forwards in time"));
    assert_int_equal(lrnde_set(s, "path", &(double){-1}, sizeof(double)), LRNDE_ERR_ARGUMENT);
    OK(lrnde_set(s, "tspan", ((double[]){0, 1}), 2 * sizeof(double)));
    double mesh[4] = {0, 0.3, 0.6, 1}, noise[3] = {0.1, -0.2, 0.3};
    OK(lrnde_solve_mesh(s, mesh, 4, NULL, 0, NULL));
    OK(lrnde_set(s, "tspan", ((double[]){0, 2}), 2 * sizeof(double))); /* noise is of the last solve, whatever was set since */
    OK(lrnde_set(s, "tspan", ((double[]){0, 1}), 2 * sizeof(double)));
    OK(lrnde_set(s, "noise/dW", noise, sizeof noise));
    assert_int_equal(lrnde_gradient(s, "u", (double[]){1}, sizeof(double)), LRNDE_ERR_ORDER);
    assert_int_equal(lrnde_solve_mesh(s, mesh, 3, NULL, 0, NULL), LRNDE_ERR_ARGUMENT);
    assert_non_null(strstr(lrnde_last_error(s)->text, "noise was set for 3 steps, the solve has 2"));
    OK(lrnde_solve_mesh(s, mesh, 4, NULL, 0, NULL));
    assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_ARGUMENT);
    OK(lrnde_set(s, "path", &(double){0}, sizeof(double)));
    OK(lrnde_solve(s, NULL, 0, NULL));
    lrnde_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strong_orders),
        cmocka_unit_test(rejection_does_not_bias),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(discrete_gradients),
        cmocka_unit_test(the_record_keeps_little),
        cmocka_unit_test(regularized_gradients),
        cmocka_unit_test(first_step_and_counts),
        cmocka_unit_test(paths_of_samples),
        cmocka_unit_test(not_finite),
        cmocka_unit_test(failures),
#ifndef __SANITIZE_ADDRESS__
        cmocka_unit_test(solves_allocate_once),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
