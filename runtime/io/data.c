/* data.c - finds the reader of a data set, and checks what it read. */
#include "io/data.h"
#include "io/file.h"
#include "io/nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The table of readers, from the first to behind the last; both NULL if the program was linked without any. */
extern const lrnde__reader *const __start_lrnde_readers[] __attribute__((weak));
extern const lrnde__reader *const __stop_lrnde_readers[] __attribute__((weak));

static size_t real_bytes(const lrnde__data *data, int32_t input)
{
    return data->model->inputs[input].label ? sizeof(int32_t) : (size_t)data->model->real_bytes;
}

static int64_t row_length(const lrnde__field *f)
{
    return f->size * (f->times ? f->times : 1);
}

size_t lrnde__data_row_bytes(const lrnde__data *data, int32_t input)
{
    return (size_t)row_length(&data->fields[input]) * real_bytes(data, input);
}

void lrnde__data_gather(const lrnde__data *data, int32_t input, const int64_t *samples, int64_t n, void *rows)
{
    size_t bytes = lrnde__data_row_bytes(data, input);
    const char *from = data->fields[input].rows;
    for (int64_t i = 0; i < n; i++) memcpy((char *)rows + (size_t)i * bytes, from + (size_t)samples[i] * bytes, bytes);
}

const char *lrnde__data_option(const lrnde__data *data, const char *key)
{
    const lrnde_data_desc *desc = &data->model->data;
    for (int32_t i = 0; i < desc->n_options; i++)
        if (!strcmp(desc->options[i].key, key)) return desc->options[i].value;
    return NULL;
}

lrnde_status lrnde__data_need(const lrnde__data *data, const char *key, const char **value, lrnde_error *e)
{
    *value = lrnde__data_option(data, key);
    if (*value) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "model %s: L.%s needs the option '%s'", data->model->name,
                          data->model->data.reader, key);
}

lrnde_status lrnde__data_alloc(lrnde__data *data, int32_t input, const char *source, lrnde_error *e)
{
    lrnde__field *f = &data->fields[input];
    f->source = strdup(source);
    f->rows = malloc((size_t)(data->train + data->test) * lrnde__data_row_bytes(data, input) + 1);
    return f->source && f->rows ? LRNDE_OK : lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: not enough memory for it", source);
}

void lrnde__data_store(lrnde__data *data, int32_t input, int64_t index, double value)
{
    void *rows = data->fields[input].rows;
    if (data->model->inputs[input].label)
        ((int32_t *)rows)[index] = (int32_t)value;
    else if (data->model->real_bytes == 4)
        ((float *)rows)[index] = (float)value;
    else
        ((double *)rows)[index] = value;
}

static const lrnde__reader *find_reader(const char *name, lrnde_error *e)
{
    const char *names[64];
    size_t n = 0;
    for (const lrnde__reader *const *r = __start_lrnde_readers; r < __stop_lrnde_readers && n < 64; r++) {
        if (!strcmp((*r)->name, name)) return *r;
        names[n++] = (*r)->name;
    }
    const char *nearest = lrnde__nearest(name, names, n, sizeof *names);
    lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "no data reader '%s'; the nearest is '%s'", name,
                   nearest ? nearest : "(none is linked)");
    return NULL;
}

static lrnde_status check_labels(const lrnde__data *data, int32_t input, lrnde_error *e)
{
    const int32_t *labels = data->fields[input].rows;
    int32_t classes = data->model->inputs[input].classes;
    for (int64_t i = 0; i < data->train + data->test; i++) {
        if (labels[i] >= 0 && labels[i] < classes) continue;
        int64_t sample = i < data->train ? i : i - data->train;
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: label %d of %s sample %lld is outside 0..%d", data->fields[input].source,
                              labels[i], i < data->train ? "training" : "test", (long long)sample, classes - 1);
    }
    return LRNDE_OK;
}

static lrnde_status check_input(const lrnde__data *data, int32_t i, lrnde_error *e)
{
    const lrnde_input_desc *input = &data->model->inputs[i];
    const lrnde__field *f = &data->fields[i];
    if (f->size != (input->label ? 1 : input->size))
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: %lld numbers a sample for input '%s' of the model, which has %d", f->source,
                              (long long)f->size, input->name, input->size);
    if (!input->series != !f->times)
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: input '%s' of the model is %s series", f->source, input->name,
                              input->series ? "a" : "no");
    return input->label ? check_labels(data, i, e) : LRNDE_OK;
}

lrnde_status lrnde__data_read(lrnde__data *data, const lrnde_model_desc *model, const lrnde__places *places, lrnde_error *e)
{
    *data = (lrnde__data){.model = model, .train = 1};
    if (!model->data.reader && !model->n_inputs) return LRNDE_OK;
    if (!model->data.reader) return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "model %s has inputs but no data", model->name);
    const lrnde__reader *reader = find_reader(model->data.reader, e);
    if (!reader) return e->status;

    data->fields = calloc((size_t)model->n_inputs + 1, sizeof *data->fields);
    if (!data->fields) return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "model %s: out of memory", model->name);
    lrnde_status status = reader->read(data, places, e);
    for (int32_t i = 0; i < model->n_inputs && !status; i++) status = check_input(data, i, e);
    return status;
}

void lrnde__data_free(lrnde__data *data)
{
    for (int32_t i = 0; data->fields && i < data->model->n_inputs; i++) {
        free(data->fields[i].source);
        free(data->fields[i].rows);
    }
    free(data->fields);
    free(data->times);
    *data = (lrnde__data){0};
}
