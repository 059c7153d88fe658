/* input.c - see input.h. */
#include "cli/input.h"
#include "cli/tool.h"
#include "io/file.h"
#include "io/npy.h"
#include "io/table.h"

#include <stdlib.h>
#include <string.h>

static lrnde_status read_npy(input_rows *in, const char *path, lrnde_error *e)
{
    lrnde__npy a;
    if (lrnde__npy_read(&a, path, e)) return e->status;
    *in = (input_rows){.rows = a.rank == 2 ? a.shape[0] : 1, .cols = a.rank == 2 ? a.shape[1] : a.shape[0], .v = a.v};
    if (a.rank == 1 || a.rank == 2) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: %d dimensions, not one sample a row", path, a.rank);
}

/* A line of names of which all are numbers is a first row. */
static int has_names(const lrnde__table *t)
{
    for (int64_t c = 0; c < t->cols; c++) {
        char *end;
        strtod(t->names[c], &end);
        if (end == t->names[c] || *end) return 1;
    }
    return 0;
}

static lrnde_status read_csv(input_rows *in, const char *path, lrnde_error *e)
{
    lrnde__table t;
    if (lrnde__table_read(&t, path, e)) return e->status;
    int first = !has_names(&t);
    lrnde_status status = LRNDE_OK;
    *in = (input_rows){.rows = t.rows + first, .cols = t.cols};
    in->v = malloc((size_t)(in->rows * in->cols) * sizeof *in->v + 1);
    if (!in->v) abort();
    for (int64_t c = 0; first && c < t.cols; c++) in->v[c] = strtod(t.names[c], NULL);
    for (int64_t i = 0; i < t.rows * t.cols && !status; i++)
        status = lrnde__table_number(&t, i / t.cols, i % t.cols, &in->v[first * t.cols + i], e);
    lrnde__table_free(&t);
    return status;
}

lrnde_status input_read(input_rows *in, const char *path, lrnde_error *e)
{
    const char *dot = strrchr(path, '.');
    *in = (input_rows){0};
    lrnde_status status = dot && !strcmp(dot, ".npy") ? read_npy(in, path, e) : read_csv(in, path, e);
    if (!status && in->rows < 1) status = lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: no samples", path);
    return status;
}

/* Sets columns [first, first + size) of all rows. */
static lrnde_status set_columns(const input_rows *in, lrnde_solver *s, const char *name, int64_t first, int64_t size,
                                lrnde_error *e)
{
    double *block = malloc((size_t)(in->rows * size) * sizeof *block + 1);
    if (!block) abort();
    for (int64_t r = 0; r < in->rows; r++) memcpy(block + r * size, in->v + r * in->cols + first, (size_t)size * sizeof *block);
    if (tool_set(s, name, block, in->rows * size)) *e = *lrnde_last_error(s);
    free(block);
    return e->status;
}

lrnde_status input_set(const input_rows *in, lrnde_solver *s, const char *path, lrnde_error *e)
{
    const lrnde_model_desc *model = lrnde_model(s);
    int64_t wanted = model->n_inputs ? 0 : model->state, first = 0;
    *e = (lrnde_error){0};
    for (int32_t i = 0; i < model->n_inputs; i++) {
        if (model->inputs[i].series)
            return lrnde__io_fail(e, LRNDE_ERR_UNSUPPORTED, "input '%s' of model %s is a series, which --input cannot give",
                                  model->inputs[i].name, model->name);
        if (!model->inputs[i].label) wanted += model->inputs[i].size;
    }
    if (in->cols != wanted)
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: %lld columns where model %s needs %lld", path, (long long)in->cols,
                              model->name, (long long)wanted);
    if (!model->n_inputs) return set_columns(in, s, "u0", 0, model->state, e);
    for (int32_t i = 0; i < model->n_inputs; i++) {
        if (model->inputs[i].label) continue;
        if (set_columns(in, s, model->inputs[i].name, first, model->inputs[i].size, e)) return e->status;
        first += model->inputs[i].size;
    }
    return LRNDE_OK;
}
