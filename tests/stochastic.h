/*
 * stochastic.h - stochastic models for tests: built with any stochastic method of tableaus/, and the data of those in
 * tests/models/.
 */
#ifndef TESTS_STOCHASTIC_H
#define TESTS_STOCHASTIC_H

#include "lrnde.h"
#include "methods.h"
#include "registries.h"

#include "cli/build.h"

#include <math.h>

#define OK(call) assert_int_equal(call, LRNDE_OK)

enum { MOST_SETTINGS = 3 };

static inline const lrnde_model_desc *build(const char *file, const char *method, const char *const *settings)
{
    const lrnde_model_desc *m;
    build_request request = {.model_file = file, .method = method, .device = "cpu", .set = {.v = (const char **)settings}};
    while (settings && request.set.n < MOST_SETTINGS && settings[request.set.n]) request.set.n++;
    assert_int_equal(build_model(&request, &(options_tool){.program = "tests"}, &m), EXIT_DONE);
    return m;
}

static inline lrnde_solver *create(const lrnde_model_desc *m, lrnde_options o)
{
    lrnde_solver *s;
    lrnde_error error = {0};
    o.size = sizeof o;
    if (!o.threads) o.threads = 1;
    if (lrnde_create(&s, m, &o, &error)) fail_msg("%s", error.text);
    return s;
}

static inline double *reals(int64_t n)
{
    double *x = calloc((size_t)n, sizeof *x);
    assert_non_null(x);
    return x;
}

/* Calls visit for every stochastic method. */
static inline void each_method(void (*visit)(const char *name, const char *family, double order, bool adaptive))
{
    names methods = lua_files("tableaus");
    int n = 0;
    for (int i = 0; i < methods.n; i++) {
        json_t *report = method_report(methods.path[i]);
        const char *family = json_string_value(json_object_get(report, "family"));
        if (is_stochastic(family)) {
            visit(json_string_value(json_object_get(report, "name")), family, json_number_value(json_object_get(report, "order")),
                  json_is_true(json_object_get(report, "adaptive")));
            n++;
        }
        json_decref(report);
    }
    assert_true(n > 0);
}

enum { BATCH = 3, SAVES = 3, D = 2, OUT = BATCH * SAVES * D, MOST_PARAMS = 64 };

/* The data of tests/models/stochastic.lua and first_stage.lua. */
typedef struct inputs {
    double t[SAVES], u[BATCH][SAVES][D], drive[BATCH][2];
} inputs;

static inline inputs some_inputs(void)
{
    inputs in = {.t = {0, 0.43, 1}};
    for (int b = 0; b < BATCH; b++)
        for (int i = 0; i < SAVES * D; i++) in.u[b][i / D][i % D] = sin(1 + b + 2 * i);
    for (int b = 0; b < BATCH; b++) in.drive[b][0] = 0.3 + 0.2 * b, in.drive[b][1] = 0.5 - 0.1 * b;
    return in;
}

static inline void give(lrnde_solver *s, const inputs *in)
{
    OK(lrnde_set(s, "t", in->t, sizeof in->t));
    OK(lrnde_set(s, "u", in->u, sizeof in->u));
    OK(lrnde_set(s, "drive", in->drive, sizeof in->drive));
}

/* One of these models, its noise such that the method can take it; settings besides, or NULL. */
static inline const lrnde_model_desc *build_stochastic(const char *model, const char *method, const char *family,
                                                       const char *setting, const char *more)
{
    char file[64];
    const char *settings[MOST_SETTINGS] = {setting, more};
    snprintf(file, sizeof file, "tests/models/%s.lua", model);
    if (!strcmp(family, "sra")) settings[more ? 2 : setting ? 1 : 0] = "additive=true";
    return build(file, method, settings);
}

#endif
