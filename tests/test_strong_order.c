/*
 * test_strong_order.c - the strong order of every stochastic method, by solutions that are known functions of the path: paths
 * that coarser meshes share.
 */
#include "stochastic.h"

enum { PATHS = 1000, FINEST = 512, LEVELS = 5 };

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strong_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
