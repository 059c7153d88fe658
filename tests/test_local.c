/*
 * test_local.c - the regularized local step over hand-written kernels: how it is chosen, what is kept of it, its gradient
 * against differences.
 */
#include "hand_solver.h"

static lrnde_solver *create(lrnde_options o)
{
    o.training = 1;
    return hand_create(o);
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
    for (int i = 0; i < 4; i++) assert_true(fabs(dp[0][i] - lotka_volterra_dp[i]) > 1e-5);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_step_gradient),      cmocka_unit_test(total_gradient),
        cmocka_unit_test(total_gradient_at_a_step), cmocka_unit_test(choices),
        cmocka_unit_test(the_step_is_held),         cmocka_unit_test(save_times_as_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
