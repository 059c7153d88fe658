/* feed.c - see feed.h. */
#include "train/feed.h"

#include "io/file.h"
#include "io/rng.h"

#include <stdlib.h>

static const char *const SPLIT_NAMES[] = {"training", "test"};

static const size_t MOST_BYTES = 1 << 30; /* of batches on the device */

static lrnde_status make_solver(lrnde__feed *f, const lrnde_options *options, lrnde_error *e)
{
    const lrnde_model_desc *model = f->data->model;
    lrnde_options o = *options;
    o.batch = (int32_t)f->batch;
    o.batches = f->places;
    if (model->tspan_data && f->data->times) {
        o.t0 = f->data->times[0];
        o.t1 = f->data->times[f->data->n_times - 1];
    }
    if (lrnde_create(&f->solver, model, &o, e)) return e->status;
    if (!lrnde_device_remote(f->solver)) f->places = 1;
    if (!model->saveat_data || !f->data->times) return LRNDE_OK;
    if (lrnde_set(f->solver, "t", f->data->times, (size_t)f->data->n_times * sizeof *f->data->times))
        *e = *lrnde_last_error(f->solver);
    return e->status;
}

static int32_t places(int64_t batches, size_t most)
{
    const int64_t n = most < (size_t)batches ? (int64_t)most : batches;
    return n < 1 ? 1 : n > INT32_MAX ? INT32_MAX : (int32_t)n;
}

lrnde_status lrnde__feed_open(lrnde__feed *f, const lrnde__data *data, lrnde__split split, int64_t batch,
                              const lrnde_options *options, lrnde_error *e)
{
    if (!data->test) split = LRNDE__TRAIN;
    int64_t n = split == LRNDE__TRAIN ? data->train : data->test, first = split == LRNDE__TRAIN ? 0 : data->train;
    size_t largest = 0, each = 1;
    *e = (lrnde_error){0};
    *f = (lrnde__feed){.data = data, .batch = batch ? batch : n};
    f->batches = n / f->batch;
    if (!f->batches)
        return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "a batch of %lld is more than the %lld %s samples of model %s",
                              (long long)batch, (long long)n, SPLIT_NAMES[split], data->model->name);
    for (int32_t i = 0; i < data->model->n_inputs; i++) {
        size_t bytes = lrnde__data_row_bytes(data, i);
        if (bytes > largest) largest = bytes;
        each += (size_t)f->batch * bytes;
    }
    f->places = options->memory_limit || !options->training ? 1 : places(f->batches, MOST_BYTES / each);
    f->order = malloc((size_t)n * sizeof *f->order);
    f->rows = malloc((size_t)f->batch * largest + 1);
    f->in = malloc((size_t)f->places * sizeof *f->in);
    if (!f->order || !f->rows || !f->in) return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "not enough memory for a batch");
    lrnde__permutation(options->seed, LRNDE__STREAM_SHUFFLE, (uint32_t)split, n, f->order);
    for (int64_t i = 0; i < n; i++) f->order[i] += first;
    for (int32_t i = 0; i < f->places; i++) f->in[i] = -1;
    return make_solver(f, options, e);
}

void lrnde__feed_close(lrnde__feed *f)
{
    lrnde_destroy(f->solver);
    free(f->order);
    free(f->rows);
    free(f->in);
    *f = (lrnde__feed){0};
}

static lrnde_status set(lrnde__feed *f, const char *name, const void *data, size_t bytes, lrnde_error *e)
{
    const lrnde_status status = lrnde_set(f->solver, name, data, bytes);
    if (status) *e = *lrnde_last_error(f->solver);
    return status;
}

/* The inputs are those of the batch's place from now on.  Once batches had to make way for others there is one place for all. */
static lrnde_status choose(lrnde__feed *f, int64_t batch, int32_t *place, lrnde_error *e)
{
    for (double kept = 0;;) {
        *place = batch < f->places ? (int32_t)batch : f->places - 1;
        const double chosen = *place;
        if (set(f, "inputs/batch", &chosen, sizeof chosen, e)) return e->status;
        lrnde_get(f->solver, "inputs/kept", &kept, sizeof kept);
        if (kept != 0 || f->in[*place] < 0) return LRNDE_OK;
        for (int32_t i = 0; i < f->places; i++) f->in[i] = -1;
        f->places = 1;
    }
}

lrnde_status lrnde__feed_batch(lrnde__feed *f, int64_t index, lrnde_error *e)
{
    const lrnde_model_desc *model = f->data->model;
    const int64_t batch = index % f->batches, *samples = f->order + batch * f->batch;
    int32_t place;
    if (!model->n_inputs) return LRNDE_OK;
    lrnde_status status = choose(f, batch, &place, e);
    if (status || f->in[place] == batch) return status;
    f->in[place] = -1;
    for (int32_t i = 0; i < model->n_inputs && !status; i++) {
        lrnde__data_gather(f->data, i, samples, f->batch, f->rows);
        status = set(f, model->inputs[i].name, f->rows, (size_t)f->batch * lrnde__data_row_bytes(f->data, i), e);
    }
    if (!status) f->in[place] = batch;
    return status;
}
