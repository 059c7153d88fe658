/*
 * test_gradient.c - gradients over hand-written kernels: the discrete adjoint against differences on a held mesh and a
 * reference gradient, the continuous one converging to it, the regularized local step, training.
 */
#include "hand.h"
#include "lrnde.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define OK(call) assert_int_equal(call, LRNDE_OK)

static lrnde_solver *create(lrnde_options o)
{
    lrnde_solver *s;
    lrnde_error error = {0};
    o.size = sizeof o;
    o.training = 1;
    if (!o.threads) o.threads = 1;
    if (lrnde_create(&s, &hand, &o, &error)) fail_msg("%s", error.text);
    return s;
}

/* Lotka-Volterra over [0, 10]: gradient of x(10) + y(10), 40 digits. */
static const double dL_dp[4] = {-4.0962129936581979658, -0.50940881191129917499, -1.1458348864297371063, -1.8043278687671012968};
static const double dL_du0[2] = {-0.77798310119201197764, 0.40028226622474244256};

static double reference_distance(lrnde_solver *s)
{
    double dp[4], du0[2], worst = 0;
    OK(lrnde_get(s, "grad/params", dp, sizeof dp));
    OK(lrnde_get(s, "grad/u0", du0, sizeof du0));
    for (int i = 0; i < 4; i++) worst = fmax(worst, fabs(dp[i] - dL_dp[i]));
    for (int i = 0; i < 2; i++) worst = fmax(worst, fabs(du0[i] - dL_du0[i]));
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
    for (int i = 0; i < 2; i++) assert_true(fabs(dx[i] - dL_du0[i]) < 1e-8);
    lrnde_destroy(s);
}

/* reg at a fixed time and length is a function of u(t) and p; held u makes differences over p alone exact at t0. */
static void local_step_gradient(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    lrnde_solver *s = create((lrnde_options){.batch = 1, .atol = 1e-6, .rtol = 1e-6});
    lrnde_local_report r, side[2];
    double p[4] = {1.5, 1, 3, 1}, dp[4], eps = 1e-6;
    OK(lrnde_local(s, 0, 0.1, &r));
    OK(lrnde_get(s, "grad/params", dp, sizeof dp));
    assert_true(r.t == 0 && r.h == 0.1 && fabs(r.reg - r.E * 0.1) < 1e-15 * r.reg && r.nfe_local == 7);
    for (int i = 0; i < 4; i++) {
        double x = p[i];
        for (int k = 0; k < 2; k++) {
            p[i] = x + (k ? -eps : eps);
            OK(lrnde_set(s, "params", p, sizeof p));
            OK(lrnde_local(s, 0, 0.1, &side[k]));
        }
        p[i] = x;
        double d = (side[0].reg - side[1].reg) / (2 * eps);
        assert_true(fabs(d - dp[i]) < 1e-6 * fmax(1, fabs(d)));
    }
    lrnde_destroy(s);
}

/* With gradient "total" the cotangent of u(t_reg) goes through the solve: both sensitivities agree, and with differences. */
static void total_gradient(void **state)
{
    (void)state;
    double exact[4], dp[4], p[4] = {1.5, 1, 3, 1}, eps = 1e-5;
    lrnde_local_report side[2];
    for (int k = 0; k < 2; k++) {
        hand_use(&lotka_volterra, "tsit5");
        if (k) hand_interpolate();
        hand.regularizer.gradient = LRNDE_TOTAL;
        lrnde_solver *s = create((lrnde_options){.atol = 1e-9, .rtol = 1e-9});
        OK(lrnde_local(s, 3.21, 0.05, &side[0]));
        OK(lrnde_get(s, "grad/params", k ? dp : exact, sizeof dp));
        for (int i = 0; k && i < 4; i++) {
            double x = p[i];
            for (int e = 0; e < 2; e++) {
                p[i] = x + (e ? -eps : eps);
                OK(lrnde_set(s, "params", p, sizeof p));
                OK(lrnde_local(s, 3.21, 0.05, &side[e]));
            }
            p[i] = x;
            double d = (side[0].reg - side[1].reg) / (2 * eps);
            assert_true(fabs(d - dp[i]) < 1e-4 * fabs(d) + 1e-4);
            assert_true(fabs(exact[i] - dp[i]) < 1e-5 * fabs(d) + 1e-5);
        }
        lrnde_destroy(s);
    }
}

/* The same within a training step whose local step begins where an accepted step does. */
static void total_gradient_at_a_step(void **state)
{
    (void)state;
    double dp[2][4];
    lrnde_report r[2];
    for (int k = 0; k < 2; k++) {
        hand_use(&lotka_volterra, "tsit5");
        if (k) hand_interpolate();
        hand.regularizer.gradient = LRNDE_TOTAL;
        hand.regularizer.sampling = LRNDE_REG_BIASED;
        lrnde_solver *s = create((lrnde_options){.atol = 1e-9, .rtol = 1e-9, .seed = 3});
        OK(lrnde_loss_gradient(s, &r[k]));
        OK(lrnde_get(s, "grad/params", dp[k], sizeof dp[k]));
        lrnde_destroy(s);
    }
    assert_true(r[0].t_reg == r[1].t_reg && r[0].reg == r[1].reg && r[0].reg > 0);
    for (int i = 0; i < 4; i++) assert_true(fabs(dp[0][i] - dp[1][i]) < 1e-5);
    for (int i = 0; i < 4; i++) assert_true(fabs(dp[0][i] - dL_dp[i]) > 1e-5);
}

/* What each way of choosing promises about t_reg and the step there. */
static void choices(void **state)
{
    (void)state;
    double mesh[300];
    lrnde_report r;
    lrnde_array a;
    for (int automatic = 0; automatic < 2; automatic++)
        for (int sampling = LRNDE_REG_UNBIASED; sampling <= LRNDE_REG_BIASED; sampling++) {
            hand_use(&lotka_volterra, "tsit5");
            hand.regularizer.sampling = (lrnde_regularize)sampling;
            hand.regularizer.automatic_step = automatic;
            lrnde_solver *s = create((lrnde_options){.atol = 1e-6, .rtol = 1e-3, .seed = 7});
            double sum = 0;
            enum { DRAWS = 200 };
            for (int step = 0; step < DRAWS; step++) {
                lrnde_set_step(s, step);
                OK(lrnde_loss_gradient(s, &r));
                OK(lrnde_array_find(s, "mesh", &a));
                OK(lrnde_get(s, "mesh", mesh, a.bytes));
                int n = (int)(a.bytes / sizeof *mesh), in = 0, start = 0;
                for (int i = 0; i + 1 < n; i++) {
                    if (mesh[i] <= r.t_reg && r.t_reg < mesh[i + 1]) in = 1;
                    if (mesh[i] == r.t_reg && i > 0) start = 1;
                    if (!automatic && mesh[i] <= r.t_reg && r.t_reg < mesh[i + 1])
                        assert_true(fabs(r.h_reg - (mesh[i + 1] - mesh[i])) < 1e-13);
                }
                assert_true(in && (sampling == LRNDE_REG_UNBIASED || start));
                assert_int_equal(r.forward.nfe_local, automatic ? 9 : 0);
                assert_true(r.h_reg > 0 && fabs(r.reg - r.E * r.h_reg) <= 1e-15 * r.reg);
                sum += r.t_reg;
            }
            if (sampling == LRNDE_REG_UNBIASED) assert_true(fabs(sum / DRAWS - 5) < 0.6);
            lrnde_destroy(s);
        }
}

/* What the kernel local finds at the chosen step is what the step left there, whoever keeps it. */
static void the_step_is_held(void **state)
{
    (void)state;
    static const char *const methods[] = {"tsit5", "rkf45"};
    for (int k = 0; k < 16; k++) {
        int training = k & 1, automatic = k >> 1 & 1;
        hand_use(&lotka_volterra, methods[k >> 2 & 1]);
        if (k >> 3) hand_interpolate();
        hand.regularizer.n_terms = 2;
        hand.regularizer.automatic_step = automatic;
        hand.regularizer.sampling = LRNDE_REG_BIASED;
        lrnde_solver *s;
        lrnde_options o = {.size = sizeof o, .atol = 1e-6, .rtol = 1e-3, .training = training, .threads = 1};
        OK(lrnde_create(&s, &hand, &o, NULL));
        lrnde_local_report r;
        OK(lrnde_local(s, 3.21, 0, &r));
        assert_true(r.terms[0] > 0 && fabs(r.terms[0] - r.terms[1]) < 1e-12 * r.terms[0]);
        assert_true(automatic ? r.t == 3.21 : r.t < 3.21 && 3.21 < r.t + r.h);
        for (int step = 0; training && step < 20; step++) {
            lrnde_report t;
            lrnde_set_step(s, step);
            OK(lrnde_loss_gradient(s, &t));
            assert_true(t.reg_terms[0] > 0 && fabs(t.reg_terms[0] - t.reg_terms[1]) < 1e-12 * t.reg_terms[0]);
        }
        lrnde_destroy(s);
    }
}

/* Save times as points: the drawn time is one of them, and neither end. */
static void save_times_as_points(void **state)
{
    (void)state;
    double t[5] = {0, 2, 4, 6, 10};
    int seen[5] = {0};
    hand_use(&lotka_volterra, "tsit5");
    hand.regularizer.sampling = LRNDE_REG_BIASED;
    hand.regularizer.points_saveat = 1;
    lrnde_solver *s = create((lrnde_options){.atol = 1e-6, .rtol = 1e-3});
    OK(lrnde_set(s, "t", t, sizeof t));
    for (int step = 0; step < 60; step++) {
        lrnde_report r;
        lrnde_set_step(s, step);
        OK(lrnde_loss_gradient(s, &r));
        for (int i = 0; i < 5; i++) seen[i] += r.t_reg == t[i];
    }
    assert_int_equal(seen[0] + seen[4], 0);
    assert_int_equal(seen[1] + seen[2] + seen[3], 60);
    for (int i = 1; i < 4; i++) assert_true(seen[i] > 8);
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
        cmocka_unit_test(local_step_gradient),
        cmocka_unit_test(total_gradient),
        cmocka_unit_test(total_gradient_at_a_step),
        cmocka_unit_test(choices),
        cmocka_unit_test(the_step_is_held),
        cmocka_unit_test(save_times_as_points),
        cmocka_unit_test(save_times_forget_the_solve),
        cmocka_unit_test(what_a_solve_read_forgets_it),
        cmocka_unit_test(options_that_are_no_interval),
        cmocka_unit_test(training_descends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
