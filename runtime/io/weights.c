/* weights.c - see weights.h; and lrnde_save and lrnde_load, which are this for the parameters of a solver. */
#include "io/weights.h"
#include "io/file.h"
#include "solve/solver.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_NAME = 256 };

typedef struct place {
    int64_t rank, shape[2];
    char name[MOST_NAME];
} place;

static place tensor_of(const lrnde_param_desc *leaf, const char *prefix)
{
    place p = {.rank = leaf->key_rank, .shape = {leaf->rows, leaf->key_cols}};
    if (leaf->key_rank == 1) p.shape[0] = leaf->key_cols;
    snprintf(p.name, sizeof p.name, "%s%s", prefix, leaf->key);
    return p;
}

static double load(const void *v, int32_t real_bytes, int64_t i)
{
    return real_bytes == 4 ? (double)((const float *)v)[i] : ((const double *)v)[i];
}

static void store(void *v, int32_t real_bytes, int64_t i, double value)
{
    if (real_bytes == 4)
        ((float *)v)[i] = (float)value;
    else
        ((double *)v)[i] = value;
}

lrnde_status lrnde__weights_add(lrnde__tensors *f, const lrnde_model_desc *model, const char *prefix, const void *params,
                                lrnde_error *e)
{
    for (int32_t i = 0; i < model->n_param_leaves; i++) {
        const lrnde_param_desc *leaf = &model->param_leaves[i];
        place p = tensor_of(leaf, prefix);
        lrnde__tensor *t = lrnde__tensors_find(f, p.name);
        if (!t && lrnde__tensors_add(f, p.name, model->real_bytes, (int32_t)p.rank, p.shape, &t, e)) return e->status;
        for (int64_t r = 0; r < leaf->rows; r++)
            for (int64_t c = 0; c < leaf->cols; c++)
                store(t->data, t->real_bytes, r * leaf->key_cols + leaf->key_col + c,
                      load(params, model->real_bytes, leaf->offset + r * leaf->cols + c));
    }
    return LRNDE_OK;
}

static lrnde_status wrong_model(const char *path, const lrnde_model_desc *model, const char *what, const char *tensor,
                                lrnde_error *e)
{
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: not weights of model %s: %s '%s'", path, model->name, what, tensor);
}

static lrnde_status check_shape(const lrnde__tensor *t, const place *p, const char *path, lrnde_error *e)
{
    int same = t->rank == p->rank;
    char wanted[64] = "", found[128] = "";
    for (int32_t i = 0; same && i < t->rank; i++) same = t->shape[i] == p->shape[i];
    if (same) return LRNDE_OK;
    for (int32_t i = 0; i < p->rank; i++)
        snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%lld", i ? ", " : "", (long long)p->shape[i]);
    for (int32_t i = 0; i < t->rank; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%lld", i ? ", " : "", (long long)t->shape[i]);
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: tensor '%s' is (%s) where the model has (%s)", path, t->name, found, wanted);
}

static int known(const lrnde_model_desc *model, const char *tensor)
{
    for (int32_t i = 0; i < model->n_param_leaves; i++)
        if (!strcmp(model->param_leaves[i].key, tensor)) return 1;
    return strchr(tensor, '/') != NULL;
}

lrnde_status lrnde__weights_extract(const lrnde__tensors *f, const char *path, const lrnde_model_desc *model, const char *prefix,
                                    void *params, lrnde_error *e)
{
    for (int32_t i = 0; i < f->n_tensors; i++)
        if (!known(model, f->tensors[i].name)) return wrong_model(path, model, "it has a tensor", f->tensors[i].name, e);
    for (int32_t i = 0; i < model->n_param_leaves; i++) {
        const lrnde_param_desc *leaf = &model->param_leaves[i];
        place p = tensor_of(leaf, prefix);
        const lrnde__tensor *t = lrnde__tensors_find(f, p.name);
        if (!t) return wrong_model(path, model, "it lacks tensor", p.name, e);
        if (check_shape(t, &p, path, e)) return e->status;
        for (int64_t r = 0; r < leaf->rows; r++)
            for (int64_t c = 0; c < leaf->cols; c++)
                store(params, model->real_bytes, leaf->offset + r * leaf->cols + c,
                      load(t->data, t->real_bytes, r * leaf->key_cols + leaf->key_col + c));
    }
    return LRNDE_OK;
}

static size_t params_bytes(const lrnde_model_desc *model)
{
    return (size_t)model->n_params * (size_t)model->real_bytes;
}

lrnde_status lrnde_save(lrnde_solver *s, const char *path)
{
    const lrnde_model_desc *model = lrnde_model(s);
    lrnde__tensors f = {0};
    lrnde_error e = {0};
    void *params = malloc(params_bytes(model) + 1);
    lrnde_status status = params ? LRNDE_OK : lrnde__io_fail(&e, LRNDE_ERR_MEMORY, "%s: out of memory", path);
    if (!status && lrnde_get(s, "params", params, params_bytes(model))) status = (e = s->error).status;
    if (!status) status = lrnde__weights_add(&f, model, "", params, &e);
    if (!status) status = lrnde__tensors_add_string(&f, "model", model->name, &e);
    if (!status) status = lrnde__tensors_write(&f, path, &e);
    lrnde__tensors_free(&f);
    free(params);
    if (status) s->error = e;
    return status;
}

lrnde_status lrnde_load(lrnde_solver *s, const char *path)
{
    const lrnde_model_desc *model = lrnde_model(s);
    lrnde__tensors f = {0};
    lrnde_error e = {0};
    void *params = malloc(params_bytes(model) + 1);
    lrnde_status status = params ? LRNDE_OK : lrnde__io_fail(&e, LRNDE_ERR_MEMORY, "%s: out of memory", path);
    if (!status) status = lrnde__tensors_read(&f, path, &e);
    if (!status) status = lrnde__weights_extract(&f, path, model, "", params, &e);
    if (!status && lrnde_set(s, "params", params, params_bytes(model))) status = (e = s->error).status;
    lrnde__tensors_free(&f);
    free(params);
    if (status) s->error = e;
    return status;
}
