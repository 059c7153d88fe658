/*
 * test_stochastic.c - stochastic solves: the first step and what is counted, the mean of many trajectories, failures, memory.
 */
#include "allocations.h"
#include "stochastic.h"

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

/* The mean of trajectories is that of their outputs, one by one; its loss that of the mean. */
static void ensembles(void **state)
{
    (void)state;
    enum { TRAJECTORIES = 5 };
    const lrnde_model_desc *m = build_stochastic("stochastic", "sosra", "sra", "regularize=true", NULL);
    lrnde_solver *s = create(m, (lrnde_options){.batch = BATCH, .seed = 3});
    inputs in = some_inputs();
    lrnde_report r, again;
    double mean[OUT] = {0}, y[OUT], path = 7, loss = 0;
    int64_t nfe = 0;
    give(s, &in);
    for (int i = 0; i < TRAJECTORIES; i++) {
        OK(lrnde_set(s, "path", &(double){path + i}, sizeof(double)));
        OK(lrnde_ensemble(s, 1, &r));
        OK(lrnde_get(s, "y", y, sizeof y));
        nfe += r.forward.nfe;
        for (int j = 0; j < OUT; j++) mean[j] += y[j] / TRAJECTORIES;
    }
    for (int j = 0; j < OUT; j++) {
        double off = mean[j] - (&in.u[0][0][0])[j];
        loss += off * off / OUT;
    }
    OK(lrnde_set(s, "path", &path, sizeof path));
    OK(lrnde_ensemble(s, TRAJECTORIES, &r));
    OK(lrnde_get(s, "y", y, sizeof y));
    for (int j = 0; j < OUT; j++) assert_true(fabs(y[j] - mean[j]) < 1e-14);
    assert_true(fabs(r.loss - loss) < 1e-14);
    assert_int_equal(r.forward.nfe, nfe);
    OK(lrnde_get(s, "path", &path, sizeof path));
    assert_true(path == 7);
    OK(lrnde_ensemble(s, TRAJECTORIES, &again));
    assert_true(again.loss == r.loss);
    assert_int_equal(lrnde_ensemble(s, 0, &r), LRNDE_ERR_ARGUMENT);
    OK(lrnde_set(s, "path", &(double){UINT32_MAX - 3.0}, sizeof(double)));
    assert_int_equal(lrnde_ensemble(s, TRAJECTORIES, &r), LRNDE_ERR_ARGUMENT);
    OK(lrnde_ensemble(s, 4, &r));
    lrnde_destroy(s);
}

/*
 * Steps of fixed length have the path that they have whether a record keeps their increments or not, and however many of these
 * there is memory for at once.
 */
static void fixed_steps_have_one_path(void **state)
{
    (void)state;
    static const char *const settings[] = {"solver.h=0.01", NULL};
    const lrnde_model_desc *desc = build("models/gbm.lua", "euler_maruyama", settings);
    enum { SAMPLES = 500, LITTLE = 20000 };
    double *u = reals(SAMPLES), *again = reals(SAMPLES);
    for (int i = 0; i < 4; i++) {
        lrnde_options o = {.batch = SAMPLES, .training = i == 1, .seed = 3};
        lrnde_solver *s = create(desc, o);
        if (i > 1) {
            o.memory_limit = lrnde_memory(s) + (i == 2 ? LITTLE : 100000);
            lrnde_destroy(s);
            s = create(desc, o);
        }
        const size_t before = lrnde_memory(s);
        if (lrnde_solve(s, NULL, 0, NULL)) fail_msg("%s", lrnde_last_error(s)->text);
        assert_true((lrnde_memory(s) <= before + LITTLE) == (i == 2));
        OK(lrnde_get(s, "u", i ? again : u, SAMPLES * sizeof *u));
        if (i) assert_memory_equal(u, again, SAMPLES * sizeof *u);
        lrnde_destroy(s);
    }
    free(u), free(again);
}

static void solves_allocate_once(void **state)
{
    (void)state;
    const lrnde_model_desc *desc = build_stochastic("stochastic", "sosra", "sra", "regularize=true", NULL);
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
    setenv("CC", "tests/quick_cc.sh", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_step_and_counts),
        cmocka_unit_test(ensembles),
        cmocka_unit_test(not_finite),
        cmocka_unit_test(failures),
        cmocka_unit_test(fixed_steps_have_one_path),
        cmocka_unit_test(solves_allocate_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
