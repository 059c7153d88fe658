/*
 * test_gradient.c - gradients over hand-written kernels: the discrete adjoint against differences on a held mesh and a
 * reference gradient, the continuous one converging to it, what a gradient is of, training.
 */
#include "hand_solver.h"

static lrnde_solver *create(lrnde_options o)
{
    o.training = 1;
    return hand_create(o);
}

static double reference_distance(lrnde_solver *s)
{
    double dp[4], du0[2], worst = 0;
    OK(lrnde_get(s, "grad/params", dp, sizeof dp));
    OK(lrnde_get(s, "grad/u0", du0, sizeof du0));
    for (int i = 0; i < 4; i++) worst = fmax(worst, fabs(dp[i] - lotka_volterra_dp[i]));
    for (int i = 0; i < 2; i++) worst = fmax(worst, fabs(du0[i] - lotka_volterra_du0[i]));
    return worst;
}

static void reference_gradient(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        int continuous;
        double tolerance, within;
    } table[] = {
        {"tsit5", 0, 1e-10, 1e-8}, {"dp5", 0, 1e-10, 1e-8},  {"vern7", 0, 1e-10, 1e-8}, {"bs3", 0, 1e-8, 1e-5},
        {"tsit5", 1, 1e-6, 2e-3},  {"tsit5", 1, 1e-8, 2e-5}, {"tsit5", 1, 1e-10, 2e-7}, {"dp5", 1, 1e-10, 2e-7},
    };
    double ones[2] = {1, 1}, one = 1;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        hand_use(&lotka_volterra, table[i].method);
        if (table[i].continuous) hand_interpolate();
        lrnde_solver *s = create((lrnde_options){.atol = table[i].tolerance, .rtol = table[i].tolerance});
        lrnde_report report;
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_gradient(s, "u", ones, sizeof ones));
        assert_true(reference_distance(s) < table[i].within);
        OK(lrnde_gradient(s, "total", &one, sizeof one));
        assert_true(reference_distance(s) < table[i].within);
        OK(lrnde_loss_gradient(s, &report));
        assert_true(reference_distance(s) < table[i].within);
        assert_true((report.adjoint.accepted > 0) == table[i].continuous);
        lrnde_destroy(s);
    }
}

enum { B = 3, S = 4 };
static const double times[S] = {0, 1.7, 1.8, 4};
static const double cot[B][S][2] = {
    {{1, -2}, {0.5, 1}, {2, 0.3}, {-1, 1}}, {{0.2, 1}, {1, 1}, {-2, 1}, {0.7, 2}}, {{1, 0}, {0, 1}, {1, -1}, {3, 0.1}}};

/* The loss <cot, u> of a solve on a mesh. */
static double loss_on(lrnde_solver *s, const double *mesh, size_t m)
{
    double u[B][S][2], loss = 0;
    OK(lrnde_solve_mesh(s, mesh, m, times, S, NULL));
    OK(lrnde_get(s, "u", u, sizeof u));
    for (int i = 0; i < B * S * 2; i++) loss += (&u[0][0][0])[i] * (&cot[0][0][0])[i];
    return loss;
}

static double difference(lrnde_solver *s, const char *name, double *values, size_t bytes, int i, const double *mesh, size_t m)
{
    double x = values[i], eps = 1e-5, side[2];
    for (int k = 0; k < 2; k++) {
        values[i] = x + (k ? -eps : eps);
        OK(lrnde_set(s, name, values, bytes));
        side[k] = loss_on(s, mesh, m);
    }
    values[i] = x;
    OK(lrnde_set(s, name, values, bytes));
    return (side[0] - side[1]) / (2 * eps);
}

/* Several save times, inside steps and at both ends, a batch with padding, extra stages of dense output. */
static void differences_on_a_held_mesh(void **state)
{
    (void)state;
    const char *const methods[] = {"tsit5", "bs3", "vern7", "heun21"};
    for (int k = 0; k < 4; k++) {
        hand_use(&lotka_volterra, methods[k]);
        lrnde_solver *s = create((lrnde_options){.batch = B, .t1 = 4, .atol = 1e-3, .rtol = 1e-3, .threads = 1 + k % 2});
        double u0[B * 2] = {1, 1, 2, 0.5, 0.8, 1.5}, p[4] = {1.5, 1, 3, 1}, mesh[2000], dp[4], du0[B * 2];
        lrnde_array a;
        OK(lrnde_set(s, "u0", u0, sizeof u0));
        OK(lrnde_solve(s, times, S, NULL));
        OK(lrnde_gradient(s, "u", cot, sizeof cot));
        OK(lrnde_get(s, "grad/params", dp, sizeof dp));
        OK(lrnde_get(s, "grad/u0", du0, sizeof du0));
        OK(lrnde_array_find(s, "mesh", &a));
        OK(lrnde_get(s, "mesh", mesh, a.bytes));
        size_t m = a.bytes / sizeof *mesh;
        for (int i = 0; i < 4; i++) assert_true(fabs(difference(s, "params", p, sizeof p, i, mesh, m) - dp[i]) < 1e-7);
        for (int i = 0; i < B * 2; i++) assert_true(fabs(difference(s, "u0", u0, sizeof u0, i, mesh, m) - du0[i]) < 1e-7);
        lrnde_destroy(s);
    }
}

static void continuous_adjoint_meets_save_times(void **state)
{
    (void)state;
    double exact[4], dp[4], u0[B * 2] = {1, 1, 2, 0.5, 0.8, 1.5}, t[2] = {1.7, 2.5}, some[B][2][2];
    memcpy(some, cot, sizeof some);
    for (int last = 0; last < 2; last++) /* with and without a save time at the end */
        for (int k = 0; k < 3; k++) {
            hand_use(&lotka_volterra, "tsit5");
            if (k) hand_interpolate();
            double tolerance = k == 1 ? 1e-6 : 1e-10;
            lrnde_solver *s =
                create((lrnde_options){.batch = B, .t1 = 4, .atol = tolerance, .rtol = tolerance, .threads = 1 + k % 2});
            OK(lrnde_set(s, "u0", u0, sizeof u0));
            OK(last ? lrnde_solve(s, times, S, NULL) : lrnde_solve(s, t, 2, NULL));
            OK(last ? lrnde_gradient(s, "u", cot, sizeof cot) : lrnde_gradient(s, "u", some, sizeof some));
            OK(lrnde_get(s, "grad/params", k ? dp : exact, sizeof dp));
            for (int i = 0; k && i < 4; i++) assert_true(fabs(dp[i] - exact[i]) < 1e3 * tolerance);
            lrnde_destroy(s);
        }
}

static void inputs_have_gradients(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    hand_use_input();
    lrnde_solver *s = create((lrnde_options){.batch = 1, .atol = 1e-10, .rtol = 1e-10});
    double x[2] = {1, 1}, one = 1, dx[2];
    OK(lrnde_set(s, "x", x, sizeof x));
    OK(lrnde_solve(s, NULL, 0, NULL));
    OK(lrnde_gradient(s, "total", &one, sizeof one));
    OK(lrnde_get(s, "grad/x", dx, sizeof dx));
    for (int i = 0; i < 2; i++) assert_true(fabs(dx[i] - lotka_volterra_du0[i]) < 1e-8);
    lrnde_destroy(s);
}

/* New save times forget the solve: its record has not what a sweep over them reads.  A span is two different numbers. */
static void save_times_forget_the_solve(void **state)
{
    (void)state;
    const double times[2] = {3.3, 10}, cot[4] = {1, 1, 1, 1}, endless[2] = {NAN, 1};
    hand_use(&lotka_volterra, "tsit5");
    lrnde_solver *s = create((lrnde_options){.atol = 1e-6, .rtol = 1e-6});
    OK(lrnde_solve(s, NULL, 0, NULL));
    OK(lrnde_set(s, "t", times, sizeof times));
    assert_int_equal(lrnde_gradient(s, "u", cot, sizeof cot), LRNDE_ERR_ORDER);
    OK(lrnde_solve(s, NULL, 0, NULL));
    OK(lrnde_gradient(s, "u", cot, sizeof cot));
    assert_int_equal(lrnde_set(s, "tspan", endless, sizeof endless), LRNDE_ERR_ARGUMENT);
    lrnde_destroy(s);
}

static void assert_stale(lrnde_solver *s)
{
    const double cot[2] = {1, 1};
    assert_int_equal(lrnde_gradient(s, "u", cot, sizeof cot), LRNDE_ERR_ORDER);
    assert_non_null(strstr(lrnde_last_error(s)->text, "something it read was changed since"));
    OK(lrnde_solve(s, NULL, 0, NULL));
    OK(lrnde_gradient(s, "u", cot, sizeof cot));
}

/* A gradient of what was solved by what is set now would be neither's.  What no solve reads may be set, and results stay. */
static void what_a_solve_read_forgets_it(void **state)
{
    (void)state;
    double u[2], same[2], params[4], gradient[4], span[2] = {0, 9}, tolerance[2] = {1e-5, 1e-5}, cot[2] = {1, 1};
    lrnde_report report;
    for (int continuous = 0; continuous < 2; continuous++)
        for (int input = 0; input < 2; input++) {
            hand_use(&lotka_volterra, "tsit5");
            if (input) hand_use_input();
            if (continuous) hand_interpolate();
            lrnde_solver *s = create((lrnde_options){.atol = 1e-6, .rtol = 1e-6});
            assert_int_equal(lrnde_gradient(s, "u", cot, sizeof cot), LRNDE_ERR_ORDER);
            assert_non_null(strstr(lrnde_last_error(s)->text, "there is none"));
            const char *initial = input ? "x" : "u0";
            OK(lrnde_set(s, initial, (double[]){1, 1}, sizeof u));
            OK(lrnde_solve(s, NULL, 0, NULL));
            OK(lrnde_get(s, "u", u, sizeof u));
            OK(lrnde_get(s, "params", params, sizeof params));
            OK(lrnde_set(s, "params", params, sizeof params));
            OK(lrnde_get(s, "u", same, sizeof same));
            assert_memory_equal(u, same, sizeof u);
            assert_stale(s);
            OK(lrnde_set(s, "p1", params, sizeof *params));
            assert_stale(s);
            OK(lrnde_set(s, initial, (double[]){1, 1}, sizeof u));
            assert_stale(s);
            OK(lrnde_set(s, "tspan", span, sizeof span));
            assert_stale(s);
            OK(lrnde_set(s, "tolerance", tolerance, sizeof tolerance));
            assert_stale(s);
            assert_int_equal(lrnde_set(s, "tolerance", (double[]){-1, 0}, sizeof tolerance), LRNDE_ERR_ARGUMENT);
            OK(lrnde_get(s, "grad/params", gradient, sizeof gradient));
            OK(lrnde_set(s, "grad/params", gradient, sizeof gradient));
            OK(lrnde_gradient(s, "u", cot, sizeof cot));
            OK(lrnde_train_step(s, &report));
            assert_stale(s);
            lrnde_destroy(s);
        }
}

static void options_that_are_no_interval(void **state)
{
    (void)state;
    const double spans[][2] = {{NAN, 1}, {0, NAN}, {NAN, NAN}, {0, INFINITY}, {-INFINITY, INFINITY}};
    hand_use(&lotka_volterra, "tsit5");
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        lrnde_solver *s;
        lrnde_error error;
        lrnde_options o = LRNDE_OPTIONS;
        o.t0 = spans[i][0], o.t1 = spans[i][1];
        assert_int_equal(lrnde_create(&s, &hand, &o, &error), LRNDE_ERR_ARGUMENT);
        assert_non_null(strstr(error.text, "is no interval"));
        assert_null(s);
    }
}

static void training_descends(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    lrnde_solver *s = create((lrnde_options){0});
    lrnde_report r;
    double p[4], g[4], q[4], first = 0;
    OK(lrnde_get(s, "params", p, sizeof p));
    for (int i = 1; i <= 5; i++) {
        OK(lrnde_train_step(s, &r));
        if (i == 1) {
            first = r.loss;
            OK(lrnde_get(s, "grad/params", g, sizeof g));
            OK(lrnde_get(s, "params", q, sizeof q));
            for (int k = 0; k < 4; k++) assert_true(q[k] == p[k] - 0.01 * g[k]);
            assert_true(fabs(r.grad_norm - sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2] + g[3] * g[3])) < 1e-14);
        }
        assert_int_equal(r.step, i);
        assert_int_equal(lrnde_step(s), i);
    }
    assert_true(r.loss < first);
    assert_true(fabs(r.metrics[0]) > 0);
    lrnde_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_gradient),
        cmocka_unit_test(differences_on_a_held_mesh),
        cmocka_unit_test(continuous_adjoint_meets_save_times),
        cmocka_unit_test(inputs_have_gradients),
        cmocka_unit_test(save_times_forget_the_solve),
        cmocka_unit_test(what_a_solve_read_forgets_it),
        cmocka_unit_test(options_that_are_no_interval),
        cmocka_unit_test(training_descends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
