/*
 * test_checkpoints.c - over hand-written kernels: whatever the record keeps, gradients have the same bits, and the steps that
 * are taken again are as few as the schedules promise.
 */
#include "hand_solver.h"
#include "solve/revolve.h"

enum { B = 5, S = 6 };
static const double times[S] = {0, 0.35, 0.4, 1.7, 3.99, 4};

typedef struct result {
    double dp[4], du0[B][2], mesh[3000];
    int64_t steps;
    lrnde_stats adjoint;
    lrnde_storage storage;
} result;

static lrnde_solver *create(lrnde_store store, int checkpoints, double tolerance)
{
    hand.sensitivity.store = store;
    hand.sensitivity.checkpoints = checkpoints;
    lrnde_solver *s =
        hand_create((lrnde_options){.batch = B, .training = 1, .t1 = 4, .atol = tolerance, .rtol = tolerance, .seed = 5});
    double u0[B * 2] = {1, 1, 2, 0.5, 0.8, 1.5, 1, 1.2, 3, 1};
    OK(lrnde_set(s, "u0", u0, sizeof u0));
    return s;
}

static void read_result(lrnde_solver *s, result *r)
{
    lrnde_array a;
    memset(r, 0, sizeof *r);
    OK(lrnde_get(s, "grad/params", r->dp, sizeof r->dp));
    OK(lrnde_get(s, "grad/u0", r->du0, sizeof r->du0));
    OK(lrnde_array_find(s, "mesh", &a));
    assert_true(a.bytes <= sizeof r->mesh);
    OK(lrnde_get(s, "mesh", r->mesh, a.bytes));
    r->steps = a.dims[0] - 1;
    r->storage = lrnde_storage_of(s);
}

/* The gradient of the sum of u at all save times; mesh NULL: adaptive. */
static void gradient(lrnde_solver *s, const double *mesh, size_t m, result *r)
{
    double cot[B * S * 2];
    for (int i = 0; i < B * S * 2; i++) cot[i] = 1 + i % 3;
    if (mesh)
        OK(lrnde_solve_mesh(s, mesh, m, times, S, NULL));
    else
        OK(lrnde_solve(s, times, S, NULL));
    OK(lrnde_gradient(s, "u", cot, sizeof cot));
    read_result(s, r);
}

static void assert_same(const result *a, const result *b)
{
    assert_int_equal(a->steps, b->steps);
    assert_memory_equal(a->mesh, b->mesh, sizeof a->mesh);
    assert_memory_equal(a->dp, b->dp, sizeof a->dp);
    assert_memory_equal(a->du0, b->du0, sizeof a->du0);
}

static const struct {
    lrnde_store store;
    int checkpoints;
} POLICIES[] = {{LRNDE_STORE_STATE, 0},       {LRNDE_STORE_CHECKPOINTS, 1},  {LRNDE_STORE_CHECKPOINTS, 2},
                {LRNDE_STORE_CHECKPOINTS, 3}, {LRNDE_STORE_CHECKPOINTS, 10}, {LRNDE_STORE_CHECKPOINTS, 100000}};
enum { N_POLICIES = sizeof POLICIES / sizeof *POLICIES };

/* Tableaus with and without FSAL, with and without extra stages; save times at both ends, between and within steps. */
static void the_same_bits(void **state)
{
    (void)state;
    static const char *const methods[] = {"tsit5", "bs3", "dp5", "rkf45", "vern7", "heun21"};
    static result all, on_mesh, some;
    for (size_t k = 0; k < sizeof methods / sizeof *methods; k++)
        for (int continuous = 0; continuous < 2; continuous++) {
            hand_use(&lotka_volterra, methods[k]);
            if (continuous) hand_interpolate();
            double tolerance = hand_forward.order < 4 ? 1e-4 : 1e-8;
            lrnde_solver *s = create(LRNDE_STORE_STAGES, 0, tolerance);
            gradient(s, NULL, 0, &all);
            assert_int_equal(all.storage.recomputed, 0);
            gradient(s, all.mesh, (size_t)all.steps + 1, &on_mesh);
            lrnde_destroy(s);
            for (int i = 0; i < N_POLICIES; i++) {
                s = create(POLICIES[i].store, POLICIES[i].checkpoints, tolerance);
                for (int again = 0; again < 2; again++) {
                    gradient(s, NULL, 0, &some);
                    assert_same(&all, &some);
                    assert_true(continuous ? some.storage.recomputed > 0 : some.storage.recomputed >= some.steps - 1);
                    assert_true(continuous || some.storage.peak < all.storage.peak);
                }
                gradient(s, all.mesh, (size_t)all.steps + 1, &some);
                assert_same(&on_mesh, &some);
                lrnde_destroy(s);
            }
        }
}

/* The vjp of one solve twice: checkpoints that the first one gave up are set anew. */
static void two_gradients_of_one_solve(void **state)
{
    (void)state;
    static result first, second;
    double cot[B * 2] = {1, 2, 3};
    for (int i = 0; i < N_POLICIES; i++) {
        hand_use(&lotka_volterra, "tsit5");
        lrnde_solver *s = create(POLICIES[i].store, POLICIES[i].checkpoints, 1e-6);
        OK(lrnde_solve(s, NULL, 0, NULL));
        OK(lrnde_gradient(s, "u", cot, sizeof cot));
        read_result(s, &first);
        OK(lrnde_gradient(s, "u", cot, sizeof cot));
        read_result(s, &second);
        assert_same(&first, &second);
        lrnde_destroy(s);
    }
}

/* Every sampling and step size, with the local step's cotangent going through the solve. */
static void with_a_regularizer(void **state)
{
    (void)state;
    static result all, some;
    for (int sampling = LRNDE_REG_UNBIASED; sampling <= LRNDE_REG_BIASED; sampling++)
        for (int automatic = 0; automatic < 2; automatic++)
            for (int i = -1; i < N_POLICIES; i++) {
                hand_use(&lotka_volterra, "tsit5");
                hand.regularizer.sampling = (lrnde_regularize)sampling;
                hand.regularizer.automatic_step = automatic;
                hand.regularizer.gradient = LRNDE_TOTAL;
                lrnde_solver *s =
                    create(i < 0 ? LRNDE_STORE_STAGES : POLICIES[i].store, i < 0 ? 0 : POLICIES[i].checkpoints, 1e-6);
                lrnde_report report;
                for (int step = 0; step < 3; step++) {
                    lrnde_set_step(s, 7 * step);
                    OK(lrnde_loss_gradient(s, &report));
                    assert_true(report.reg > 0 && report.storage.peak == lrnde_memory(s));
                }
                read_result(s, i < 0 ? &all : &some);
                if (i >= 0) assert_same(&all, &some);
                lrnde_destroy(s);
            }
}

/* A local step held from a solve that then does not fit: nothing of it is left when the solve is begun again. */
static void a_limit_with_a_regularizer(void **state)
{
    (void)state;
    double all[3][4], some[4];
    size_t created = 0, peak = 0;
    for (size_t share = 1; share <= 9; share += 2) {
        hand_use(&lotka_volterra, "tsit5");
        hand.regularizer.sampling = LRNDE_REG_BIASED;
        lrnde_solver *s;
        lrnde_report report;
        lrnde_options o = LRNDE_OPTIONS;
        o.training = 1, o.threads = 1, o.atol = o.rtol = 1e-6;
        if (share > 1) o.memory_limit = created + (peak - created) / share;
        OK(lrnde_create(&s, &hand, &o, NULL));
        if (share == 1) created = lrnde_memory(s);
        for (int step = 0; step < 3; step++) {
            lrnde_set_step(s, step);
            if (lrnde_loss_gradient(s, &report)) fail_msg("%s", lrnde_last_error(s)->text);
            OK(lrnde_get(s, "grad/params", share == 1 ? all[step] : some, sizeof some));
            if (share > 1) assert_memory_equal(all[step], some, sizeof some);
        }
        assert_int_equal(report.storage.reduced, share > 1);
        if (share == 1) peak = report.storage.peak;
        lrnde_destroy(s);
    }
}

/* Of a mesh, or of steps of fixed length, the number is known: the least that is possible.  Else at most 1.5 times that. */
static void recomputed_steps(void **state)
{
    (void)state;
    static double mesh[2001];
    static result r;
    double cot[B * 2] = {1, 2, 3};
    lrnde_stats stats;
    for (int i = 0; i <= 2000; i++) mesh[i] = i / 100.0;
    hand_use(&lotka_volterra, "tsit5");
    for (int c = 2; c <= 64; c += c < 8 ? 1 : 7)
        for (int n = 1; n <= 2000; n = n < 12 ? n + 1 : n * 5) {
            lrnde_solver *s = create(LRNDE_STORE_CHECKPOINTS, c, 1e-6);
            OK(lrnde_solve_mesh(s, mesh, (size_t)n + 1, NULL, 0, NULL));
            OK(lrnde_gradient(s, "u", cot, sizeof cot));
            assert_int_equal(lrnde_storage_of(s).recomputed, lrnde__revolve_count(n, c));
            lrnde_destroy(s);
            hand.h = 0.01;
            s = create(LRNDE_STORE_CHECKPOINTS, c, 1e-6);
            OK(lrnde_set(s, "tspan", (double[]){0, n / 100.0}, 2 * sizeof(double)));
            OK(lrnde_solve(s, NULL, 0, &stats));
            OK(lrnde_gradient(s, "u", cot, sizeof cot));
            assert_int_equal(stats.accepted, n);
            assert_int_equal(lrnde_storage_of(s).recomputed, lrnde__revolve_count(n, c));
            lrnde_destroy(s);
            hand.h = 0;
        }
    for (int c = 1; c <= 64; c *= 2)
        for (double tolerance = 1e-3; tolerance > 1e-9; tolerance /= 10) {
            lrnde_solver *s = create(LRNDE_STORE_CHECKPOINTS, c, tolerance);
            gradient(s, NULL, 0, &r);
            int64_t least = lrnde__revolve_count(r.steps, c);
            assert_true(r.storage.recomputed >= least && (double)r.storage.recomputed <= 1.5 * (double)least);
            lrnde_destroy(s);
        }
    hand_interpolate(); /* every step once more, and a few where a rejected step went back */
    for (int c = 4; c <= 32; c *= 2) {
        lrnde_solver *s = create(LRNDE_STORE_CHECKPOINTS, c, 1e-9);
        gradient(s, NULL, 0, &r);
        assert_true(r.steps > 4 * c);
        assert_true(r.storage.recomputed >= r.steps && (double)r.storage.recomputed < 1.1 * (double)r.steps);
        lrnde_destroy(s);
    }
}

static int calls_left;
static int cancel(void *user)
{
    (void)user;
    return calls_left-- <= 0;
}

/* A sweep with few checkpoints may be long: it can be stopped, and the solver goes on to work. */
static void a_sweep_can_be_stopped(void **state)
{
    (void)state;
    static result all, again;
    lrnde_solver *s;
    lrnde_options o = LRNDE_OPTIONS;
    o.training = 1, o.threads = 1, o.batch = B, o.t1 = 4, o.cancel = cancel;
    calls_left = INT32_MAX;
    hand_use(&lotka_volterra, "tsit5");
    hand.sensitivity.store = LRNDE_STORE_CHECKPOINTS;
    hand.sensitivity.checkpoints = 2;
    OK(lrnde_create(&s, &hand, &o, NULL));
    gradient(s, NULL, 0, &all);
    double cot[B * S * 2] = {1};
    OK(lrnde_solve(s, times, S, NULL));
    calls_left = 3;
    assert_int_equal(lrnde_gradient(s, "u", cot, sizeof cot), LRNDE_ERR_CANCELLED);
    assert_non_null(strstr(lrnde_last_error(s)->text, "sweep: cancelled at t = "));
    calls_left = INT32_MAX;
    gradient(s, NULL, 0, &again);
    assert_same(&all, &again);
    lrnde_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits),          cmocka_unit_test(two_gradients_of_one_solve),
        cmocka_unit_test(with_a_regularizer),     cmocka_unit_test(recomputed_steps),
        cmocka_unit_test(a_sweep_can_be_stopped), cmocka_unit_test(a_limit_with_a_regularizer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
