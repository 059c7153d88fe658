/* feed.c - see feed.h. */
#include "train/feed.h"
#include "io/file.h"
#include "io/rng.h"

#include <stdlib.h>

static const char *const SPLIT_NAMES[] = {"training", "test"};

static lrnde_status make_solver(lrnde__feed *f, const lrnde_options *options, lrnde_error *e)
{
    const lrnde_model_desc *model = f->data->model;
    lrnde_options o = *options;
    o.batch = (int32_t)f->batch;
    if (model->tspan_data && f->data->times) {
        o.t0 = f->data->times[0];
        o.t1 = f->data->times[f->data->n_times - 1];
    }
    if (lrnde_create(&f->solver, model, &o, e)) return e->status;
    if (!model->saveat_data || !f->data->times) return LRNDE_OK;
    if (lrnde_set(f->solver, "t", f->data->times, (size_t)f->data->n_times * sizeof *f->data->times))
        *e = *lrnde_last_error(f->solver);
    return e->status;
}

lrnde_status lrnde__feed_open(lrnde__feed *f, const lrnde__data *data, lrnde__split split, int64_t batch,
                              const lrnde_options *options, lrnde_error *e)
{
    if (!data->test) split = LRNDE__TRAIN;
    int64_t n = split == LRNDE__TRAIN ? data->train : data->test, first = split == LRNDE__TRAIN ? 0 : data->train;
    size_t largest = 0;
    *e = (lrnde_error){0};
    *f = (lrnde__feed){.data = data, .batch = batch ? batch : n};
    f->batches = n / f->batch;
    if (!f->batches)
        return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "a batch of %lld is more than the %lld %s samples of model %s",
                              (long long)batch, (long long)n, SPLIT_NAMES[split], data->model->name);
    for (int32_t i = 0; i < data->model->n_inputs; i++) {
        size_t bytes = lrnde__data_row_bytes(data, i);
        if (bytes > largest) largest = bytes;
    }
    f->order = malloc((size_t)n * sizeof *f->order);
    f->rows = malloc((size_t)f->batch * largest + 1);
    if (!f->order || !f->rows) return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "not enough memory for a batch");
    lrnde__permutation(options->seed, LRNDE__STREAM_SHUFFLE, (uint32_t)split, n, f->order);
    for (int64_t i = 0; i < n; i++) f->order[i] += first;
    return make_solver(f, options, e);
}

void lrnde__feed_close(lrnde__feed *f)
{
    lrnde_destroy(f->solver);
    free(f->order);
    free(f->rows);
    *f = (lrnde__feed){0};
}

lrnde_status lrnde__feed_batch(lrnde__feed *f, int64_t index, lrnde_error *e)
{
    const lrnde_model_desc *model = f->data->model;
    const int64_t *samples = f->order + index % f->batches * f->batch;
    for (int32_t i = 0; i < model->n_inputs; i++) {
        lrnde__data_gather(f->data, i, samples, f->batch, f->rows);
        if (!lrnde_set(f->solver, model->inputs[i].name, f->rows, (size_t)f->batch * lrnde__data_row_bytes(f->data, i))) continue;
        *e = *lrnde_last_error(f->solver);
        return e->status;
    }
    return LRNDE_OK;
}
