/*
 * csv.c - the reader of tables:
 *     L.csv { "runs.csv", id = "run", t = "t_s", series = { u = { "x", "y" } }, context = { c = "feed" }, label = "class",
 *             split = { test = 0.2 } }
 *
 * One line is one sample at one time.  `id` names the column that tells samples apart (their lines follow each other); without
 * it every line is a sample.  A series is the named columns at every time; a context is the same in all lines of a sample, and
 * so is a label, which any other option is.  All samples have the same times, increasing.  split.test is the share of samples
 * kept for testing, drawn with a seed of its own, so that it does not change from run to run.
 */
#include "io/data.h"
#include "io/file.h"
#include "io/rng.h"
#include "io/table.h"

#include <stdlib.h>
#include <string.h>

typedef struct layout {
    const lrnde__table *table;
    int64_t samples, times; /* times: lines of a sample */
    int64_t *place;         /* (samples): row of the data set for the i-th sample of the file */
} layout;

static int same_id(const lrnde__table *t, int64_t id, int64_t row, int64_t other)
{
    return !strcmp(t->cells[row * t->cols + id], t->cells[other * t->cols + id]);
}

/* Counts samples: runs of lines with one id, all as long as the first. */
static lrnde_status measure(lrnde__data *data, layout *l, lrnde_error *e)
{
    const lrnde__table *t = l->table;
    const char *name = lrnde__data_option(data, "id");
    int64_t id;
    l->samples = t->rows;
    l->times = 1;
    if (!t->rows) return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: no lines but the first", t->path);
    if (!name) return LRNDE_OK;
    if (lrnde__table_column(t, name, &id, e)) return e->status;

    while (l->times < t->rows && same_id(t, id, l->times, 0)) l->times++;
    for (int64_t start = 0; start < t->rows; start += l->times) {
        int64_t end = start + 1;
        while (end < t->rows && same_id(t, id, end, start)) end++;
        for (int64_t other = 0; other < start; other += l->times)
            if (same_id(t, id, start, other))
                return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s:%lld: error: %s '%s' comes again: its lines must follow each other",
                                      t->path, (long long)start + 2, name, t->cells[start * t->cols + id]);
        if (end - start != l->times)
            return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s:%lld: error: %s '%s' has %lld times where the first has %lld", t->path,
                                  (long long)start + 2, name, t->cells[start * t->cols + id], (long long)(end - start),
                                  (long long)l->times);
    }
    l->samples = t->rows / l->times;
    return LRNDE_OK;
}

/* Reads the time grid from the first sample and holds the others to it. */
static lrnde_status read_times(lrnde__data *data, const layout *l, lrnde_error *e)
{
    const lrnde__table *t = l->table;
    const char *name = lrnde__data_option(data, "t"), *id = lrnde__data_option(data, "id");
    int64_t col, id_col = 0;
    if (!name) return LRNDE_OK;
    if (lrnde__table_column(t, name, &col, e)) return e->status;
    if (id && lrnde__table_column(t, id, &id_col, e)) return e->status;
    data->n_times = l->times;
    data->times = malloc((size_t)l->times * sizeof *data->times);
    if (!data->times) return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: not enough memory to read it", t->path);

    for (int64_t row = 0; row < t->rows; row++) {
        int64_t k = row % l->times;
        double time;
        if (lrnde__table_number(t, row, col, &time, e)) return e->status;
        if (row < l->times) data->times[k] = time;
        if (data->times[k] != time)
            return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s:%lld: error: '%s' has time %.17g where the first sample has %.17g",
                                  t->path, (long long)row + 2, t->cells[row * t->cols + id_col], time, data->times[k]);
        if (k && data->times[k] <= data->times[k - 1])
            return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s:%lld: error: the times do not increase", t->path, (long long)row + 2);
    }
    return LRNDE_OK;
}

/* Decides which samples are for testing. */
static lrnde_status split(lrnde__data *data, layout *l, lrnde_error *e)
{
    enum { SPLIT_SEED = 0 };
    const char *text = lrnde__data_option(data, "split.test");
    double share = text ? strtod(text, NULL) : 0;
    if (!(share >= 0 && share < 1))
        return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "model %s: L.csv: split.test = %s is not in [0, 1)", data->model->name,
                              text);
    data->test = (int64_t)(share * (double)l->samples + 0.5);
    data->train = l->samples - data->test;
    l->place = malloc((size_t)l->samples * sizeof *l->place);
    if (!l->place) return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: not enough memory to read it", l->table->path);
    for (int64_t i = 0; i < l->samples; i++) l->place[i] = i;
    if (data->test) lrnde__permutation(SPLIT_SEED, LRNDE__STREAM_SHUFFLE, 0, l->samples, l->place);
    return LRNDE_OK;
}

/* The option that says which columns an input is read from: under "series", under "context", or by itself. */
static const char *columns_of(const lrnde__data *data, const char *input, int *series)
{
    static const char *const groups[] = {"series.", "context.", ""};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        char key[128];
        snprintf(key, sizeof key, "%s%s", groups[i], input);
        const char *columns = lrnde__data_option(data, key);
        *series = i == 0;
        if (columns) return columns;
    }
    return NULL;
}

/* cols (n): the columns named in "x,y". */
static lrnde_status find_columns(const lrnde__table *t, const char *names, int64_t *cols, int64_t n, lrnde_error *e)
{
    char *copy = strdup(names), *rest = copy;
    lrnde_status status = copy ? LRNDE_OK : lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: out of memory", t->path);
    for (int64_t i = 0; i < n && !status; i++) status = lrnde__table_column(t, strsep(&rest, ","), &cols[i], e);
    free(copy);
    return status;
}

static lrnde_status read_rows(lrnde__data *data, int32_t input, const layout *l, const int64_t *cols, lrnde_error *e)
{
    const lrnde__table *t = l->table;
    const lrnde__field *f = &data->fields[input];
    int64_t length = f->times ? f->times : 1;
    for (int64_t row = 0; row < t->rows; row++) {
        int64_t sample = l->place[row / l->times], k = row % l->times;
        for (int64_t j = 0; j < f->size; j++) {
            double value, first;
            if (lrnde__table_number(t, row, cols[j], &value, e)) return e->status;
            if (k < length) lrnde__data_store(data, input, (sample * length + k) * f->size + j, value);
            if (k < length) continue;
            if (lrnde__table_number(t, row - k, cols[j], &first, e)) return e->status;
            if (value != first)
                return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s:%lld: error: column %s changes within a sample", t->path,
                                      (long long)row + 2, t->names[cols[j]]);
        }
    }
    return LRNDE_OK;
}

static lrnde_status read_input(lrnde__data *data, int32_t input, const layout *l, lrnde_error *e)
{
    lrnde__field *f = &data->fields[input];
    int series;
    const char *columns = columns_of(data, data->model->inputs[input].name, &series);
    if (!columns)
        return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "model %s: L.csv names no column for input '%s'", data->model->name,
                              data->model->inputs[input].name);
    f->size = 1;
    for (const char *p = columns; *p; p++) f->size += *p == ',';
    f->times = series ? l->times : 0;
    int64_t *cols = malloc((size_t)f->size * sizeof *cols);
    lrnde_status status = cols ? LRNDE_OK : lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: out of memory", l->table->path);
    if (!status) status = find_columns(l->table, columns, cols, f->size, e);
    if (!status) status = lrnde__data_alloc(data, input, l->table->path, e);
    if (!status) status = read_rows(data, input, l, cols, e);
    free(cols);
    return status;
}

static lrnde_status read(lrnde__data *data, const lrnde__places *places, lrnde_error *e)
{
    const char *file;
    char *path = NULL;
    lrnde__table table = {0};
    layout l = {.table = &table};
    lrnde_status status = lrnde__data_need(data, "1", &file, e);
    if (!status) status = lrnde__data_find(places, NULL, file, 1, &path, e);
    if (!status) status = lrnde__table_read(&table, path, e);
    if (!status) status = measure(data, &l, e);
    if (!status) status = read_times(data, &l, e);
    if (!status) status = split(data, &l, e);
    for (int32_t i = 0; i < data->model->n_inputs && !status; i++) status = read_input(data, i, &l, e);
    free(l.place);
    lrnde__table_free(&table);
    free(path);
    return status;
}

const lrnde__reader lrnde__reader_csv = {"csv", "tables with named columns: time series and their context", read};
LRNDE__READER(lrnde__reader_csv);
