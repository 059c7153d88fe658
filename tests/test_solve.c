/*
 * test_solve.c - the forward solve over hand-written kernels: printed step sequences, save times, batches, meshes, memory,
 * and every way to fail.
 */
#include "allocations.h"
#include "hand_solver.h"

/*
 * Step sequences of the exact-power controller, qmax = 10 from the start.  Vern7 on van der Pol is not here: how often it
 * rejects depends on rounding.
 */
static void step_sequences(void **state)
{
    (void)state;
    static const struct {
        const problem *problem;
        const char *method;
        double atol, rtol, first_h;
        int accepted, rejected, nfe;
        double u[2], within;
    } table[] = {
        {&lotka_volterra, "tsit5", 1e-6, 1e-3, 0.07760847432, 33, 2, 213, {1.03375788544, 0.906370687745}, 1e-9},
        {&lotka_volterra, "tsit5", 1e-8, 1e-8, 0, 253, 0, 1521, {1.02634478707, 0.909691062003}, 1e-9},
        {&lotka_volterra, "dp5", 1e-6, 1e-3, 0.07760847432, 29, 7, 219, {1.03981331562, 0.904763279738}, 1e-9},
        {&lotka_volterra, "dp5", 1e-8, 1e-8, 0, 206, 6, 1275, {0}, 0},
        {&lotka_volterra, "bs3", 1e-6, 1e-3, 0.01412045127, 101, 3, 315, {1.02158280085, 0.912461519513}, 1e-9},
        {&lotka_volterra, "bs3", 1e-8, 1e-8, 0, 3591, 0, 10776, {0}, 0},
        {&lotka_volterra, "vern7", 1e-6, 1e-3, 0, 30, 4, 343, {1.02504096588, 0.909870866896}, 1e-9},
        {&lotka_volterra, "vern7", 1e-8, 1e-8, 0, 106, 3, 1093, {0}, 0},
        /* rounding moves this end by 3e-9, as 40 digits tell */
        {&van_der_pol, "tsit5", 1e-6, 1e-3, 0, 56, 1, 345, {2.00394910396, -0.0864280318112}, 1e-8},
        {&van_der_pol, "tsit5", 1e-8, 1e-8, 0, 413, 0, 2481, {0}, 0},
        {&van_der_pol, "dp5", 1e-6, 1e-3, 0, 51, 20, 429, {0}, 0},
        {&van_der_pol, "bs3", 1e-6, 1e-3, 0, 168, 12, 543, {0}, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        hand_use(table[i].problem, table[i].method);
        lrnde_solver *s = hand_create((lrnde_options){.atol = table[i].atol, .rtol = table[i].rtol});
        lrnde_stats st;
        double u[2];
        OK(lrnde_solve(s, NULL, 0, &st));
        OK(lrnde_get(s, "u", u, sizeof u));
        assert_int_equal(st.accepted, table[i].accepted);
        assert_int_equal(st.rejected, table[i].rejected);
        assert_int_equal(st.nfe, table[i].nfe);
        assert_int_equal(st.rhs_calls, table[i].nfe - 1); /* k1 and the f0 of the first step are one */
        if (table[i].first_h != 0) assert_true(fabs(st.first_h / table[i].first_h - 1) < 1e-9);
        for (int d = 0; table[i].u[0] != 0 && d < 2; d++) assert_true(fabs(u[d] - table[i].u[d]) < table[i].within);
        lrnde_destroy(s);
    }
}

/* The first step of a printed solution, to the last bits. */
static void printed_first_step(void **state)
{
    (void)state;
    hand_use(&linear, "tsit5");
    lrnde_solver *s = hand_create((lrnde_options){.atol = 1e-6, .rtol = 1e-6});
    lrnde_stats st;
    double u;
    OK(lrnde_solve(s, NULL, 0, &st));
    OK(lrnde_get(s, "u", &u, sizeof u));
    assert_true(fabs(st.first_h / 0.028970819746309166 - 1) < 1e-15);
    assert_int_equal(st.accepted, 9);
    assert_true(fabs(u - 2.664456243491331) < 1e-14);
    lrnde_destroy(s);
}

static void time_runs_both_ways(void **state)
{
    (void)state;
    const char *const methods[] = {"tsit5", "bs3", "vern7"};
    for (int i = 0; i < 3; i++) {
        hand_use(&nonautonomous, methods[i]);
        lrnde_solver *s = hand_create((lrnde_options){.atol = 1e-10, .rtol = 1e-10});
        double u, back[2] = {2, 0};
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_get(s, "u", &u, sizeof u));
        assert_true(fabs(u - 0.41388213037129649982) < 1e-8);
        OK(lrnde_set(s, "tspan", back, sizeof back));
        OK(lrnde_set(s, "u0", &u, sizeof u));
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_get(s, "u", &u, sizeof u));
        assert_true(fabs(u - 1) < 1e-7);
        lrnde_destroy(s);
    }
}

/* Dense output against the exact solution, and steps that save times do not change. */
static void save_times(void **state)
{
    (void)state;
    const char *const methods[] = {"tsit5", "dp5", "bs3", "vern7", "heun21"};
    double t[41], u[41];
    for (int i = 0; i < 41; i++) t[i] = 2 * i / 40.0;
    for (int m = 0; m < 5; m++) {
        hand_use(&nonautonomous, methods[m]);
        lrnde_solver *s = hand_create((lrnde_options){.atol = 1e-7, .rtol = 1e-7});
        lrnde_stats plain, saved;
        OK(lrnde_solve(s, NULL, 0, &plain));
        OK(lrnde_solve(s, t, 41, &saved));
        assert_int_equal(plain.nfe, saved.nfe);
        assert_true((saved.nfe_dense > 0) == (tab.total > tab.stages));
        OK(lrnde_get(s, "u", u, sizeof u));
        for (int i = 0; i < 41; i++) assert_true(fabs(u[i] - 1 / (2 - cos(t[i]))) < 2e-6);
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_get(s, "u", u, sizeof u[0]));
        lrnde_destroy(s);
    }
}

/* On a mesh samples are independent: the same bits alone and in any company, with any number of threads. */
static void batches(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    double mesh[101], u0[17][2], u[17][2][2], total[17][2], alone[2][2];
    double t[2] = {3.3, 10};
    for (int i = 0; i < 101; i++) mesh[i] = i / 10.0;
    for (int b = 0; b < 17; b++) u0[b][0] = 1 + 0.1 * b, u0[b][1] = 2 - 0.07 * b;
    const int sizes[] = {1, 3, 17};
    for (int i = 0; i < 3; i++)
        for (int threads = 1; threads <= 3; threads++) {
            int B = sizes[i];
            lrnde_solver *s = hand_create((lrnde_options){.batch = B, .threads = threads}),
                         *one = hand_create((lrnde_options){0});
            OK(lrnde_set(s, "u0", u0, (size_t)B * sizeof u0[0]));
            OK(lrnde_solve_mesh(s, mesh, 101, t, 2, NULL));
            OK(lrnde_get(s, "u", u, (size_t)B * sizeof u[0]));
            OK(lrnde_get(s, "total", total, (size_t)B * sizeof total[0]));
            for (int b = 0; b < B; b++) {
                OK(lrnde_set(one, "u0", u0[b], sizeof u0[b]));
                OK(lrnde_solve_mesh(one, mesh, 101, t, 2, NULL));
                OK(lrnde_get(one, "u", alone, sizeof alone));
                assert_memory_equal(u[b], alone, sizeof alone);
                for (int k = 0; k < 2; k++) assert_true(total[b][k] == u[b][k][0] + u[b][k][1]);
            }
            lrnde_destroy(s);
            lrnde_destroy(one);
        }
}

/* Copies of one sample step as that sample does: padding enters no sum. */
static void padding_is_not_counted(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    lrnde_stats one, many;
    for (int B = 1; B <= 9; B += 4) {
        lrnde_solver *s = hand_create((lrnde_options){.batch = B, .atol = 1e-6, .rtol = 1e-3});
        OK(lrnde_solve(s, NULL, 0, &many));
        if (B == 1) one = many;
        assert_int_equal(one.nfe, many.nfe);
        assert_true(fabs(one.first_h - many.first_h) < 1e-15);
        lrnde_destroy(s);
    }
}

static void inputs_make_the_state(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    hand_use_input();
    double x[3][2] = {{1, 1}, {2, 1}, {1, 3}}, u[3][2][2], t[2] = {0, 1};
    lrnde_solver *s = hand_create((lrnde_options){.batch = 3});
    OK(lrnde_set(s, "x", x, sizeof x));
    OK(lrnde_solve(s, t, 2, NULL));
    OK(lrnde_get(s, "u", u, sizeof u));
    for (int b = 0; b < 3; b++) assert_memory_equal(u[b][0], x[b], sizeof x[b]);
    assert_int_equal(lrnde_set(s, "u0", x, sizeof x), LRNDE_ERR_ARGUMENT);
    lrnde_destroy(s);
}

/* A batch of inputs is there when it is chosen again, as it was set; one that is none of them changes nothing. */
static void batches_of_inputs(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    hand_use_input();
    const double x[2][3][2] = {{{1, 1}, {2, 1}, {1, 3}}, {{3, 1}, {2, 2}, {1, 2}}};
    const double none[] = {2, -1, 0.5, NAN, INFINITY};
    double u[3][2], start = 0;
    double kept;
    lrnde_error error;
    lrnde_solver *s = hand_create((lrnde_options){.batch = 3, .batches = 2});
    for (int i = 0; i < 4; i++) {
        double b = i % 2;
        OK(lrnde_set(s, "inputs/batch", &b, sizeof b));
        OK(lrnde_get(s, "inputs/kept", &kept, sizeof kept));
        assert_true(kept == 0);
        if (i > 1) OK(lrnde_set(s, "x", x[i % 2], sizeof x[0]));
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(lrnde_set(s, "inputs/batch", &none[i], sizeof none[i]), LRNDE_ERR_ARGUMENT);
    assert_string_equal(lrnde_last_error(s)->text, "inputs/batch: inf is none of the 2 of options.batches");
    for (int i = 1; i < 5; i++) {
        double b = i % 2, chosen;
        OK(lrnde_get(s, "inputs/batch", &chosen, sizeof chosen));
        assert_true(chosen == !b || i == 1);
        OK(lrnde_set(s, "inputs/batch", &b, sizeof b));
        OK(lrnde_get(s, "inputs/kept", &kept, sizeof kept));
        assert_true(kept == 1);
        OK(lrnde_solve(s, &start, 1, NULL));
        OK(lrnde_get(s, "u", u, sizeof u));
        assert_memory_equal(u, x[i % 2], sizeof u);
    }
    lrnde_destroy(s);
    lrnde_options o = {.size = sizeof o, .batches = 2, .memory_limit = 100};
    assert_int_equal(lrnde_create(&s, &hand, &o, &error), LRNDE_ERR_MEMORY);
}

static void solves_allocate_once(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    for (int training = 0; training < 2; training++) {
        lrnde_solver *s = hand_create((lrnde_options){.training = training});
        double t[3] = {1, 2, 10}, cot[6] = {1, 1, 1, 1, 1, 1};
        long before = 0;
        for (int i = 0; i < 3; i++) {
            OK(lrnde_solve(s, t, 3, NULL));
            if (training) OK(lrnde_gradient(s, "u", cot, sizeof cot));
            if (i == 0) before = allocations;
        }
        assert_int_equal(allocations, before);
        lrnde_destroy(s);
    }
}

static void failures(void **state)
{
    (void)state;
    double u, bad[3] = {0.5, 0.2, 1};
    lrnde_solver *s;
    lrnde_error error = {0};
    lrnde_array array;
    lrnde_local_report report;

    hand_use(&lotka_volterra, "tsit5");
    lrnde_options o = {.size = sizeof o, .device = "abacus"};
    assert_int_equal(lrnde_create(&s, &hand, &o, &error), LRNDE_ERR_DEVICE);
    assert_null(s);
    assert_non_null(strstr(error.text, "abacus"));
    o = (lrnde_options){.size = sizeof o, .memory_limit = 100};
    assert_int_equal(lrnde_create(&s, &hand, &o, &error), LRNDE_ERR_MEMORY);

    s = hand_create((lrnde_options){.max_steps = 5});
    assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_STEP_LIMIT);
    assert_true(lrnde_last_error(s)->t > 0);
    assert_int_equal(lrnde_get(s, "u", &u, sizeof u), LRNDE_ERR_ARGUMENT);
    assert_non_null(strstr(lrnde_last_error(s)->text, "(1, 2) double are 16"));
    assert_int_equal(lrnde_array_find(s, "paramz", &array), LRNDE_ERR_ARGUMENT);
    assert_non_null(strstr(lrnde_last_error(s)->text, "'params'"));
    assert_int_equal(lrnde_solve(s, bad, 3, NULL), LRNDE_ERR_ARGUMENT);
    assert_int_equal(lrnde_gradient(s, "u", bad, 2 * sizeof(double)), LRNDE_ERR_ORDER);
    lrnde_destroy(s);

    s = hand_create((lrnde_options){.time_limit_s = 1e-9});
    assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_TIME_LIMIT);
    lrnde_destroy(s);

    s = hand_create((lrnde_options){.training = 1});
    size_t created = lrnde_memory(s);
    lrnde_destroy(s);
    s = hand_create((lrnde_options){.training = 1, .memory_limit = created + 100});
    assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_MEMORY);
    assert_non_null(strstr(lrnde_last_error(s)->text, "memory limit"));
    lrnde_destroy(s);

    s = hand_create((lrnde_options){.t0 = 1e16, .t1 = 1e16 + 8, .h = 0.5});
    assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_STEP_SIZE);
    assert_non_null(strstr(lrnde_last_error(s)->text, "solve: time does not resolve so short a step at t = 1e+16"));
    lrnde_destroy(s);
    s = hand_create((lrnde_options){.t0 = 1, .t1 = 2});
    assert_int_equal(lrnde_local(s, 1.5, 1e-300, &report), LRNDE_ERR_STEP_SIZE);
    assert_non_null(strstr(lrnde_last_error(s)->text, "local step: time does not resolve"));
    lrnde_destroy(s);

    hand_use(&explosion, "tsit5");
    s = hand_create((lrnde_options){0});
    lrnde_status status = lrnde_solve(s, NULL, 0, NULL);
    assert_true(status == LRNDE_ERR_STEP_SIZE || status == LRNDE_ERR_NOT_FINITE);
    assert_true(fabs(lrnde_last_error(s)->t - 1) < 1e-6);
    lrnde_destroy(s);

    hand_use(&broken, "tsit5");
    s = hand_create((lrnde_options){.batch = 3});
    assert_int_equal(lrnde_solve(s, NULL, 0, NULL), LRNDE_ERR_NOT_FINITE);
    assert_true(fabs(lrnde_last_error(s)->t - 0.5) < 1e-9);
    assert_int_equal(lrnde_last_error(s)->sample, 0);
    assert_true(lrnde_last_error(s)->stage >= 2);
    assert_string_equal(lrnde_last_error(s)->component, "u[1]");
    assert_string_equal(lrnde_last_error(s)->layer, "");
    lrnde_destroy(s);
}

/* Steps of given lengths: what is not finite is found late, but said of the step where it happened, before what came after it. */
static void given_steps_fail_where_they_do(void **state)
{
    (void)state;
    enum { STEPS = 256 };
    double mesh[STEPS + 1];
    for (int i = 0; i <= STEPS; i++) mesh[i] = (double)i / STEPS;
    hand_use(&broken, "tsit5");
    for (int training = 0; training < 2; training++)
        for (int64_t limit = 100; limit <= 300; limit += 50) {
            lrnde_solver *s = hand_create((lrnde_options){.batch = 3, .h = 1. / STEPS, .training = training, .max_steps = limit});
            for (int by_mesh = 0; by_mesh < 2; by_mesh++) {
                lrnde_status status =
                    by_mesh ? lrnde_solve_mesh(s, mesh, STEPS + 1, NULL, 0, NULL) : lrnde_solve(s, NULL, 0, NULL);
                const lrnde_error *e = lrnde_last_error(s);
                if (limit == 100) {
                    assert_int_equal(status, LRNDE_ERR_STEP_LIMIT);
                    assert_true(e->t == 100. / STEPS);
                    continue;
                }
                assert_int_equal(status, LRNDE_ERR_NOT_FINITE);
                assert_true(e->t == 0.5 && e->h == 1. / STEPS);
                assert_int_equal(e->sample, 0);
                assert_true(e->stage >= 2);
                assert_string_equal(e->component, "u[1]");
            }
            lrnde_destroy(s);
        }
}

/* Where times are large and rounded a step may end where the last would, which then there is not. */
static void given_steps_of_large_times(void **state)
{
    (void)state;
    int rounded = 0;
    hand_use(&lotka_volterra, "tsit5");
    for (int k = 200; k < 300; k++) {
        const double t0 = 1.7e9, h = 0.01, t1 = t0 + k * h;
        lrnde_solver *s = hand_create((lrnde_options){.t0 = t0, .t1 = t1, .h = h});
        lrnde_stats stats;
        OK(lrnde_solve(s, NULL, 0, &stats));
        assert_true(stats.t == t1 && llabs((long long)stats.accepted - k) <= 1);
        rounded += t0 + k * h == t1 && (t1 - t0) / h > k + 1e-6;
        lrnde_destroy(s);
    }
    assert_true(rounded > 10);
}

static void arrays_by_name(void **state)
{
    (void)state;
    hand_use(&lotka_volterra, "tsit5");
    lrnde_solver *s = hand_create((lrnde_options){.batch = 5, .training = 1});
    double p[4], rest[3] = {7, 8, 9};
    OK(lrnde_set(s, "rest", rest, sizeof rest));
    OK(lrnde_get(s, "params", p, sizeof p));
    assert_true(p[0] == 1.5 && p[1] == 7 && p[3] == 9);
    int found = 0;
    for (int32_t i = 0; i < lrnde_array_count(s); i++) {
        lrnde_array a, same;
        OK(lrnde_array_at(s, i, &a));
        OK(lrnde_array_find(s, a.name, &same));
        assert_string_equal(a.name, same.name);
        if (strcmp(a.name, "u") == 0) {
            found++;
            assert_int_equal(a.rank, 2);
            assert_int_equal(a.dims[0], 5);
            assert_int_equal(a.bytes, 80);
            assert_false(a.can_set || a.can_get);
        }
    }
    assert_int_equal(found, 1);
    lrnde_destroy(s);
    lrnde_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(step_sequences),
        cmocka_unit_test(printed_first_step),
        cmocka_unit_test(time_runs_both_ways),
        cmocka_unit_test(save_times),
        cmocka_unit_test(batches),
        cmocka_unit_test(padding_is_not_counted),
        cmocka_unit_test(inputs_make_the_state),
        cmocka_unit_test(batches_of_inputs),
        cmocka_unit_test(solves_allocate_once),
        cmocka_unit_test(failures),
        cmocka_unit_test(given_steps_fail_where_they_do),
        cmocka_unit_test(given_steps_of_large_times),
        cmocka_unit_test(arrays_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
