/*
 * cuda_models.h - models and their solvers in a world whose CUDA is pretended (cuda_world.h), and what the library that pretends
 * has counted.
 */
#ifndef TESTS_CUDA_MODELS_H
#define TESTS_CUDA_MODELS_H

#include "cuda_world.h"

#include "registries.h"

#include "cli/build.h"
#include "lrnde.h"

#include <math.h>

static inline double number(int64_t i)
{
    return sin((double)i * 1.7 + 0.3);
}

typedef struct model_case {
    const char *file, *setting;
    int32_t batch;
} model_case;

static const options_tool TOOL = {.program = "test_cuda"};
static const lrnde_model_desc *built;
static int32_t batch;
static int64_t most_steps; /* 0: as many as the model says */
static size_t limit;       /* of memory; 0: none */

static inline void build_with(const char *file, const char *change, const char *another)
{
    const char *changes[] = {change, another};
    build_request request = {.model_file = file, .set = {changes, another ? 2 : 1}};
    assert_int_equal(build_model(&request, &TOOL, &built), EXIT_DONE);
}

static inline void build(const char *file, const char *change)
{
    build_with(file, change, NULL);
}

static inline lrnde_solver *create(const lrnde_model_desc *desc, const char *device, char *text)
{
    lrnde_solver *s;
    lrnde_error e;
    lrnde_options o = LRNDE_OPTIONS;
    o.batch = batch, o.training = 1, o.device = device, o.seed = 3;
    o.max_steps = most_steps, o.memory_limit = limit;
    o.threads = (batch + desc->tile - 1) / desc->tile; /* a worker a tile, as on the device */
    if (lrnde_create(&s, desc, &o, &e)) snprintf(text, WORLD_TEXT, "%s", e.text);
    return s;
}

static inline void set_inputs(lrnde_solver *s)
{
    const lrnde_model_desc *desc = lrnde_model(s);
    const double t[] = {0, 0.2, 0.5, 0.8};
    lrnde_array a;
    if (desc->saveat_data) MUST(!lrnde_set(s, "t", t, sizeof t));
    for (int32_t i = 0; i < desc->n_inputs; i++) {
        MUST(!lrnde_array_find(s, desc->inputs[i].name, &a));
        size_t n = a.bytes / (a.type == LRNDE_F64 ? 8 : 4);
        char *x = malloc(a.bytes);
        for (size_t k = 0; k < n; k++)
            if (a.type == LRNDE_I32)
                ((int32_t *)x)[k] = (int32_t)(k % (size_t)desc->inputs[i].classes);
            else if (a.type == LRNDE_F32)
                ((float *)x)[k] = (float)number((int64_t)k);
            else
                ((double *)x)[k] = number((int64_t)k);
        MUST(!lrnde_set(s, a.name, x, a.bytes));
        free(x);
    }
}

static inline int waits(void)
{
    int (*fake_waits)(void);
    world_fake_function("fake_waits", &fake_waits);
    return fake_waits();
}

static inline int launches(void)
{
    int (*fake_launches)(void);
    world_fake_function("fake_launches", &fake_launches);
    return fake_launches();
}

/* Kernels that launches ran: of a graph, several. */
static inline int kernels_run(void)
{
    int (*fake_kernels)(void);
    world_fake_function("fake_kernels", &fake_kernels);
    return fake_kernels();
}

static inline size_t crossed(void)
{
    size_t (*fake_crossed)(void);
    world_fake_function("fake_crossed", &fake_crossed);
    return fake_crossed();
}

/* A solver with a solution, and a cotangent of its first output. */
typedef struct solved {
    lrnde_solver *s;
    const char *output;
    char *cot;
    size_t bytes;
    int64_t steps;
} solved;

static inline void solve_for(solved *v)
{
    lrnde_stats stats;
    lrnde_array u;
    MUST(!lrnde_solve(v->s, NULL, 0, &stats) && !lrnde_array_find(v->s, v->output, &u));
    v->bytes = u.bytes;
    v->cot = realloc(v->cot, u.bytes);
    v->steps = stats.accepted;
    MUST(!lrnde_get(v->s, v->output, v->cot, u.bytes));
}

static inline int with_driver(void **state)
{
    (void)state;
    world_driver("libcuda.so");
    return 0;
}

#endif
