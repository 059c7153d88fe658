/*
 * hand_solver.h - for tests of the solver over hand-written models: one of them, and what Lotka-Volterra's gradient is.
 */
#ifndef HAND_SOLVER_H
#define HAND_SOLVER_H

#include "hand.h"
#include "lrnde.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define OK(call) assert_int_equal(call, LRNDE_OK)

/* Of the model in use; one thread unless the options say otherwise. */
static inline lrnde_solver *hand_create(lrnde_options o)
{
    lrnde_solver *s;
    lrnde_error error = {0};
    o.size = sizeof o;
    if (!o.threads) o.threads = 1;
    if (lrnde_create(&s, &hand, &o, &error)) fail_msg("%s", error.text);
    return s;
}

/* Over [0, 10]: gradient of x(10) + y(10), 40 digits. */
static const double lotka_volterra_dp[4] = {-4.0962129936581979658, -0.50940881191129917499, -1.1458348864297371063,
                                            -1.8043278687671012968};
static const double lotka_volterra_du0[2] = {-0.77798310119201197764, 0.40028226622474244256};

#endif
