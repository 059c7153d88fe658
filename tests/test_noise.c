/*
 * test_noise.c - Brownian paths: unbiased by rejected steps, parts that add up to the whole, a path for every sample whatever
 * the batch and the threads.
 *
 * $LRNDE_PATHS: how many paths the moments are of.
 */
#include "stochastic.h"

#include "solve/solver.h"

/* A solver of one sample whose noise is drawn by hand. */
static lrnde_solver *by_hand(void)
{
    lrnde_solver *s = create(build("tests/numeric/models/known_additive.lua", "sra1", NULL), (lrnde_options){.batch = 1});
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
        assert_int_equal(s->noise.pieces.n_used, 0);
        trial(s, 1, after);
        for (int q = 0; q < 2; q++) assert_true(fabs(after[q] - whole[q]) > 1e-3);
    }
    lrnde_destroy(s);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejection_does_not_bias),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(paths_of_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
