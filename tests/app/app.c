/*
 * app.c - an application: two generated models and liblrnde.a in one C program.
 *
 * It solves Lotka-Volterra and asks for a gradient with respect to the parameters, then fits the spiral network to one arc
 * that it makes itself, and prints what it found: one line a fact, read by tests/app.lua.
 */
#include <math.h>
#include <stdio.h>

#include <lrnde.h>

#include "lotka_volterra.h"
#include "spiral.h"

#define DO(call) do { if ((call) != LRNDE_OK) goto fail; } while (0)

static int predict(void)
{
    lrnde_solver *s = NULL;
    lrnde_stats stats;
    lrnde_error error = {0};
    lrnde_options o = LRNDE_OPTIONS;
    lotka_volterra_real u[LOTKA_VOLTERRA_STATE], grad[LOTKA_VOLTERRA_PARAMS];
    const lotka_volterra_real cot[LOTKA_VOLTERRA_STATE] = {1, 1}; /* of u[1] + u[2] */
    o.batch = 1, o.training = 1, o.threads = 1;
    if (lrnde_create(&s, &lrnde_lotka_volterra, &o, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    DO(lrnde_solve(s, NULL, 0, &stats));
    DO(lrnde_get(s, "u", u, sizeof u));
    DO(lrnde_gradient(s, "u", cot, sizeof cot));
    DO(lrnde_get(s, "grad/params", grad, sizeof grad));
    printf("u %.17g %.17g\n", u[0], u[1]);
    printf("gradient %.17g %.17g %.17g %.17g\n", grad[0], grad[1], grad[2], grad[3]);
    lrnde_destroy(s);
    return 0;
fail:
    fprintf(stderr, "%s\n", lrnde_last_error(s)->text);
    lrnde_destroy(s);
    return 1;
}

static int fit(void)
{
    enum { B = 3, TIMES = 5 };
    static spiral_real arcs[B][TIMES][SPIRAL_U];
    double t[TIMES];
    lrnde_solver *s = NULL;
    lrnde_report first = {0}, last = {0};
    lrnde_error error = {0};
    lrnde_options o = LRNDE_OPTIONS;
    for (int i = 0; i < TIMES; i++) t[i] = 0.1 * i;
    for (int b = 0; b < B; b++)
        for (int i = 0; i < TIMES; i++) {
            arcs[b][i][0] = (spiral_real)(cos(t[i]) * (1 + b) / B);
            arcs[b][i][1] = (spiral_real)(sin(t[i]) * (1 + b) / B);
        }
    o.batch = B, o.training = 1, o.threads = 1, o.seed = 1;
    if (lrnde_create(&s, &lrnde_spiral, &o, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    DO(lrnde_set(s, "t", t, sizeof t));
    DO(lrnde_set(s, "u", arcs, sizeof arcs));
    DO(lrnde_train_step(s, &first));
    for (int step = 0; step < 300; step++) DO(lrnde_train_step(s, &last));
    printf("loss %.9g %.9g\n", first.loss, last.loss);
    lrnde_destroy(s);
    return 0;
fail:
    fprintf(stderr, "%s\n", lrnde_last_error(s)->text);
    lrnde_destroy(s);
    return 1;
}

int main(void)
{
    return predict() || fit();
}
