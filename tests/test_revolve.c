/*
 * test_revolve.c - schedules of checkpoints, carried out by a machine that only counts: what is taken again is the least that
 * is possible when the number of steps is known, and at most 1.5 times that when it is not.
 */
#include "solve/revolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { MOST_STEPS = 2000, MOST_CHECKPOINTS = 64 };

/* The states at hand, in order: those before the steps at[0] = 0 < at[1] < .. */
static int64_t at[MOST_CHECKPOINTS];

/* Reverses n steps with c checkpoints, so many of them set, the last step done: steps taken again. */
static int64_t sweep(int64_t n, int64_t c, int64_t set)
{
    int64_t again = 0;
    for (int64_t step = n - 2; step >= 0; step--) {
        while (at[set - 1] > step) set--;
        for (int64_t from = at[set - 1], to; from < step; from = to) {
            to = from + lrnde__revolve_split(step + 1 - from, c - set + 1);
            assert_true(to > from);
            if (to <= step) assert_true(set < c), at[set++] = to;
            if (to > step) to = step;
            again += to - from;
        }
        again++;
    }
    return again;
}

/* Sets the checkpoints of a solve of n known steps. */
static int64_t forward(int64_t n, int64_t c)
{
    int64_t set = 1, to;
    for (at[0] = 0; (to = at[set - 1] + lrnde__revolve_split(n - at[set - 1], c - set + 1)) < n;) at[set++] = to;
    return set;
}

/* t(n, c) by its own recurrence: the best first checkpoint of all. */
static void count_is_the_minimum(void **state)
{
    (void)state;
    enum { N = 150, C = 12 };
    static int64_t best[N + 1][C + 1];
    for (int c = 1; c <= C; c++)
        for (int n = 1; n <= N; n++) {
            best[n][c] = (int64_t)n * (n - 1) / 2;
            for (int m = 1; c > 1 && m < n; m++) {
                int64_t t = m + best[m][c] + best[n - m][c - 1];
                if (t < best[n][c]) best[n][c] = t;
            }
            assert_int_equal(lrnde__revolve_count(n, c), best[n][c]);
        }
}

static void known_number_of_steps(void **state)
{
    (void)state;
    for (int c = 2; c <= MOST_CHECKPOINTS; c++)
        for (int n = 1; n <= MOST_STEPS; n += n < 300 ? 1 : 17)
            assert_int_equal(sweep(n, c, forward(n, c)), lrnde__revolve_count(n, c));
    assert_int_equal(sweep(MOST_STEPS, 64, forward(MOST_STEPS, 64)), 2 * MOST_STEPS - 66);
}

/* One pass forward for all n: before each step, what a solve that ended there would cost. */
static void unknown_number_of_steps(void **state)
{
    (void)state;
    double worst = 0;
    for (int c = 2; c <= MOST_CHECKPOINTS; c++) {
        lrnde__mark mark[MOST_CHECKPOINTS] = {{0, 0}};
        int64_t set = 1;
        for (int n = 1; n <= MOST_STEPS; n++) {
            if (n > 1 && (n < 300 || n % 17 == 0)) {
                for (int64_t i = 0; i < set; i++) at[i] = mark[i].n;
                double ratio = (double)sweep(n, c, set) / (double)lrnde__revolve_count(n, c);
                if (ratio > worst) worst = ratio;
            }
            if (set < c)
                mark[set++] = (lrnde__mark){n, 0};
            else
                assert_true(lrnde__revolve_replace(mark, c, n) > 0);
            for (int64_t i = 1; i < set; i++) assert_true(mark[i].n > mark[i - 1].n);
        }
    }
    print_message("online: at most %.3f times the optimum\n", worst);
    assert_true(worst <= 1.5 && worst > 1);
}

static void large_numbers_fit(void **state)
{
    (void)state;
    int64_t big = INT32_MAX;
    assert_int_equal(lrnde__revolve_count(big, big), big - 1);
    assert_int_equal(lrnde__revolve_split(big, big), 1);
    assert_true(lrnde__revolve_count(big, 2) > big);
    assert_true(lrnde__revolve_split(big, 2) > 0 && lrnde__revolve_split(big, 2) < big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(count_is_the_minimum),
        cmocka_unit_test(known_number_of_steps),
        cmocka_unit_test(unknown_number_of_steps),
        cmocka_unit_test(large_numbers_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
