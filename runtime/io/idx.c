/*
 * idx.c - the reader of MNIST and its kin:  L.idx { "mnist", x = "images", label = "labels" }
 *
 * The data set is a folder with {train,t10k}-images-idx3-ubyte and {train,t10k}-labels-idx1-ubyte, each plain or .gz.  An IDX
 * file is, big-endian: 00 00 08 rank, then `rank` dimensions of 4 bytes, then unsigned bytes.  Images become pixels / 255.
 */
#include "io/data.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>

/* What an input may be read from. */
typedef struct source {
    const char *name, *suffix;
    int rank;
    double scale;
} source;

static const source SOURCES[] = {
    {"images", "images-idx3-ubyte", 3, 255},
    {"labels", "labels-idx1-ubyte", 1, 1},
};

typedef struct idx_file {
    char *path, *text;
    int64_t count, size; /* items, bytes an item */
    const unsigned char *items;
} idx_file;

static uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static lrnde_status parse(idx_file *f, int rank, size_t bytes, lrnde_error *e)
{
    const unsigned char *b = (const unsigned char *)f->text;
    size_t header = 4 + 4 * (size_t)rank;
    uint32_t magic = 0x800u + (uint32_t)rank;
    if (bytes < 4 || big_endian(b) != magic)
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: not an IDX file of rank %d: the magic number is 0x%08x, not 0x%08x",
                              f->path, rank, bytes < 4 ? 0 : big_endian(b), magic);
    if (bytes < header) return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: truncated inside its header", f->path);
    f->count = big_endian(b + 4);
    f->size = 1;
    f->items = b + header;
    /* Sizes come from the file: bound each product by the file's length before forming the next. */
    for (int i = 1; i < rank && f->size <= (int64_t)bytes; i++) f->size *= big_endian(b + 4 + 4 * i);
    if ((double)f->count * (double)f->size == (double)(bytes - header)) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: %s: %zu bytes of data where its header says %lld x %lld", f->path,
                          (double)f->count * (double)f->size > (double)(bytes - header) ? "truncated" : "too long",
                          bytes - header, (long long)f->count, (long long)f->size);
}

static lrnde_status open_file(idx_file *f, const lrnde__places *places, const char *set, const char *part, const source *s,
                              lrnde_error *e)
{
    char name[64];
    size_t bytes;
    snprintf(name, sizeof name, "%s-%s", part, s->suffix);
    *f = (idx_file){0};
    if (lrnde__data_find(places, set, name, 1, &f->path, e)) return e->status;
    if (lrnde__file_read(f->path, &f->text, &bytes, e)) return e->status;
    return parse(f, s->rank, bytes, e);
}

static void close_file(idx_file *f)
{
    free(f->path);
    free(f->text);
}

/* The number of samples of a part is set by the first input; every other must agree. */
static lrnde_status agree(int64_t *samples, const idx_file *f, const char *first, lrnde_error *e)
{
    if (!first) *samples = f->count;
    if (f->count == *samples) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: %lld samples where %s has %lld", f->path, (long long)f->count, first,
                          (long long)*samples);
}

static lrnde_status find_source(const lrnde__data *data, int32_t input, const source **s, lrnde_error *e)
{
    const char *key = data->model->inputs[input].name, *name;
    if (lrnde__data_need(data, key, &name, e)) return e->status;
    for (size_t i = 0; i < sizeof SOURCES / sizeof *SOURCES; i++) {
        *s = &SOURCES[i];
        if (!strcmp(name, SOURCES[i].name)) return LRNDE_OK;
    }
    return lrnde__io_fail(e, LRNDE_ERR_ARGUMENT, "model %s: L.idx: %s = '%s' is neither 'images' nor 'labels'", data->model->name,
                          key, name);
}

static lrnde_status read_input(lrnde__data *data, int32_t input, const lrnde__places *places, const char *set, lrnde_error *e)
{
    const source *s;
    idx_file train, test = {0};
    if (find_source(data, input, &s, e)) return e->status;
    const char *first = input ? data->fields[0].source : NULL;
    lrnde_status status = open_file(&train, places, set, "train", s, e);
    if (!status) status = open_file(&test, places, set, "t10k", s, e);
    if (!status) status = agree(&data->train, &train, first, e);
    if (!status) status = agree(&data->test, &test, first, e);
    if (!status && train.size != test.size)
        status = lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: items of %lld bytes where %s has %lld", test.path, (long long)test.size,
                                train.path, (long long)train.size);
    if (!status) {
        data->fields[input].size = train.size;
        status = lrnde__data_alloc(data, input, train.path, e);
    }
    if (!status) {
        int64_t n = train.count * train.size, m = test.count * test.size;
        for (int64_t i = 0; i < n; i++) lrnde__data_store(data, input, i, train.items[i] / s->scale);
        for (int64_t i = 0; i < m; i++) lrnde__data_store(data, input, n + i, test.items[i] / s->scale);
    }
    close_file(&train);
    close_file(&test);
    return status;
}

static lrnde_status read(lrnde__data *data, const lrnde__places *places, lrnde_error *e)
{
    const char *set;
    lrnde_status status = lrnde__data_need(data, "1", &set, e);
    for (int32_t i = 0; i < data->model->n_inputs && !status; i++) status = read_input(data, i, places, set, e);
    return status;
}

const lrnde__reader lrnde__reader_idx = {"idx", "MNIST's format: images and labels of unsigned bytes", read};
LRNDE__READER(lrnde__reader_idx);
