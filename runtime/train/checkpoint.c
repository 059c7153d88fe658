/* checkpoint.c - see checkpoint.h. */
#include "train/checkpoint.h"
#include "io/file.h"
#include "io/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The parameter-shaped arrays of a solver, as the solver (source) and the file (prefix) name them: the i-th, from 0. */
static void name_array(int32_t i, char source[32], char prefix[32])
{
    snprintf(source, 32, i ? "optimizer/%d" : "params", i - 1);
    snprintf(prefix, 32, i ? "optimizer/%d/" : "", i - 1);
}

static lrnde_status solver_error(const lrnde_solver *s, lrnde_error *e)
{
    *e = *lrnde_last_error(s);
    return e->status;
}

static lrnde_status add_string(lrnde__tensors *f, const char *key, lrnde_error *e, const char *format, double value)
{
    char text[32];
    snprintf(text, sizeof text, format, value);
    return lrnde__tensors_add_string(f, key, text, e);
}

/* Numbers up to 2^53 pass through a double unharmed; a seed is one. */
static lrnde_status add_state(lrnde__tensors *f, lrnde_solver *s, const lrnde__state *state, lrnde_error *e)
{
    const lrnde_model_desc *model = lrnde_model(s);
    lrnde_status status = lrnde__tensors_add_string(f, "model", model->name, e);
    if (!status) status = lrnde__tensors_add_string(f, "optimizer", model->train.optimizer, e);
    if (!status) status = add_string(f, "step", e, "%.0f", (double)lrnde_step(s));
    if (!status) status = add_string(f, "seed", e, "%.0f", (double)state->seed);
    if (!status) status = add_string(f, "batch", e, "%.0f", (double)state->batch);
    if (!status) status = add_string(f, "best", e, "%.17g", state->best);
    return status;
}

static size_t params_bytes(const lrnde_model_desc *model)
{
    return (size_t)model->n_params * (size_t)model->real_bytes;
}

lrnde_status lrnde__checkpoint_take(lrnde__tensors *f, lrnde_solver *s, const lrnde__state *state, lrnde_error *e)
{
    const lrnde_model_desc *model = lrnde_model(s);
    char source[32], prefix[32];
    void *params = malloc(params_bytes(model) + 1);
    lrnde_status status = params ? LRNDE_OK : lrnde__io_fail(e, LRNDE_ERR_MEMORY, "no memory for a checkpoint");
    *f = (lrnde__tensors){0};
    for (int32_t i = 0; i <= model->train.n_slots && !status; i++) {
        name_array(i, source, prefix);
        status = lrnde_get(s, source, params, params_bytes(model)) ? solver_error(s, e)
                                                                   : lrnde__weights_add(f, model, prefix, params, e);
    }
    if (!status) status = add_state(f, s, state, e);
    free(params);
    return status;
}

static lrnde_status read_string(const lrnde__tensors *f, const char *path, const char *key, const char **text, lrnde_error *e)
{
    *text = lrnde__tensors_string(f, key);
    if (*text) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: no checkpoint of a training run: it has no '%s'", path, key);
}

static lrnde_status read_number(const lrnde__tensors *f, const char *path, const char *key, double *value, lrnde_error *e)
{
    const char *text;
    if (read_string(f, path, key, &text, e)) return e->status;
    *value = strtod(text, NULL);
    return LRNDE_OK;
}

static lrnde_status same_name(const lrnde__tensors *f, const char *path, const char *key, const char *wanted, lrnde_error *e)
{
    const char *found;
    if (read_string(f, path, key, &found, e)) return e->status;
    if (!strcmp(found, wanted)) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "%s: the run had %s %s, not %s: it cannot be resumed", path, key, found, wanted);
}

static lrnde_status same_number(const lrnde__tensors *f, const char *path, const char *key, double wanted, lrnde_error *e)
{
    double found = NAN;
    if (read_number(f, path, key, &found, e)) return e->status;
    if (found == wanted) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "%s: the run had --%s %.0f, not %.0f: it cannot be resumed", path, key, found,
                          wanted);
}

lrnde_status lrnde__checkpoint_load(lrnde_solver *s, lrnde__state *state, const char *path, lrnde_error *e)
{
    const lrnde_model_desc *model = lrnde_model(s);
    char source[32], prefix[32];
    double step = 0;
    lrnde__tensors f = {0};
    void *params = malloc(params_bytes(model) + 1);
    lrnde_status status = params ? LRNDE_OK : lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: out of memory", path);
    if (!status) status = lrnde__tensors_read(&f, path, e);
    if (!status) status = read_number(&f, path, "step", &step, e);
    if (!status) status = read_number(&f, path, "best", &state->best, e);
    if (!status) status = same_name(&f, path, "model", model->name, e);
    if (!status) status = same_name(&f, path, "optimizer", model->train.optimizer, e);
    if (!status) status = same_number(&f, path, "seed", (double)state->seed, e);
    if (!status) status = same_number(&f, path, "batch", (double)state->batch, e);
    for (int32_t i = 0; i <= model->train.n_slots && !status; i++) {
        name_array(i, source, prefix);
        status = lrnde__weights_extract(&f, path, model, prefix, params, e);
        if (!status && lrnde_set(s, source, params, params_bytes(model))) status = solver_error(s, e);
    }
    if (!status) lrnde_set_step(s, (int64_t)step);
    lrnde__tensors_free(&f);
    free(params);
    return status;
}
