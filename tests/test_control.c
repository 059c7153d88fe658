/* test_control.c - step control as numbers: the formulas of control.h at points where they can be read off. */
#include "control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const lrnde_controller pi = {0.14, 0.08, 0.9, 0.2, 10, 1};

static void near(double x, double y)
{
    assert_true(fabs(x - y) <= 1e-14 * fabs(y));
}

static void accepted_steps_grow_or_shrink(void **state)
{
    (void)state;
    double old = LRNDE_E_OLD;
    near(lrnde_control(&pi, &old, 0.5, 0.1), 0.1 / (pow(0.5, 0.14) / pow(1e-4, 0.08) / 0.9));
    near(old, 0.5);
    near(lrnde_control(&pi, &old, 1, 0.1), 0.1 / (1 / pow(0.5, 0.08) / 0.9));
    near(old, 1);
    near(lrnde_control(&pi, &old, 0, 0.1), 1.0); /* qmax */
    near(old, 1e-4);
}

static void rejected_steps_shrink(void **state)
{
    (void)state;
    double old = 0.5;
    near(lrnde_control(&pi, &old, 2, -0.1), -0.1 / (pow(2, 0.14) / 0.9));
    near(lrnde_control(&pi, &old, 1e30, 0.1), 0.02); /* qmin */
    near(lrnde_control(&pi, &old, INFINITY, 0.1), 0.02);
    near(lrnde_control(&pi, &old, NAN, 0.1), 0.02);
    near(old, 0.5);
    assert_false(lrnde_accepts(NAN));
    assert_true(lrnde_accepts(1));
}

static void steps_end_where_they_must(void **state)
{
    (void)state;
    double shortest = lrnde_shortest(0, 1);
    assert_true(shortest == 0x1p-52);
    assert_true(lrnde_clip(0.9, 0.5, 1, shortest) == 1 - 0.9);
    assert_true(lrnde_clip(0.9, 0.01, 1, shortest) == 0.01);
    assert_true(lrnde_clip(1, -0.5, 0.9, shortest) == 0.9 - 1);
    assert_true(lrnde_clip(0.5, 1e-30, 1, shortest) == shortest);
    assert_true(lrnde_advance(0.3, 0.7 + 1e-15, 1) == 1);
    assert_true(lrnde_advance(0.3, 0.6, 1) == 0.3 + 0.6);
    assert_true(lrnde_gives_up(-shortest, shortest) && !lrnde_gives_up(2 * shortest, shortest));
}

static void first_steps(void **state)
{
    (void)state;
    near(lrnde_first_trial(2, 4, 1), 0.005);
    near(lrnde_first_trial(0, 4, 1), 1e-6);
    near(lrnde_first_trial(2000, 4, 1), 1);
    near(lrnde_first_step(0.005, 4, 0.1, 5, 1e-16, 1), pow(10, -(2 + log10(20)) / 5));
    near(lrnde_first_step(0.005, 4, 0.1, 5, 1e-16, 0.1), 0.1);
    near(lrnde_first_step(0.005, 0, 0, 5, 1e-16, 10), 0.5);
}

/* A reservoir over n candidates keeps each with probability 1/n: over a grid of uniforms, each is kept equally often. */
static void reservoir_is_uniform(void **state)
{
    (void)state;
    enum { GRID = 12 };
    int kept[3] = {0};
    for (int i = 0; i < GRID; i++)
        for (int j = 0; j < GRID; j++) {
            int last = lrnde_reservoir_takes(0.999, 1) ? 0 : -1;
            if (lrnde_reservoir_takes((i + 0.5) / GRID, 2)) last = 1;
            if (lrnde_reservoir_takes((j + 0.5) / GRID, 3)) last = 2;
            kept[last]++;
        }
    for (int i = 0; i < 3; i++) assert_int_equal(kept[i], GRID * GRID / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(accepted_steps_grow_or_shrink), cmocka_unit_test(rejected_steps_shrink),
                                       cmocka_unit_test(steps_end_where_they_must), cmocka_unit_test(first_steps),
                                       cmocka_unit_test(reservoir_is_uniform)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
