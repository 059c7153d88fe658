/* safetensors.c - reads and writes the format of safetensors.h; JSON by jansson. */
#include "io/safetensors.h"
#include "io/file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RANK = 4, LENGTH_BYTES = 8 };

static const char METADATA[] = "__metadata__";

void lrnde__tensors_free(lrnde__tensors *f)
{
    for (int32_t i = 0; i < f->n_tensors; i++) {
        free(f->tensors[i].name);
        free(f->tensors[i].data);
    }
    for (int32_t i = 0; i < f->n_strings; i++) {
        free(f->strings[i].key);
        free(f->strings[i].value);
    }
    free(f->tensors);
    free(f->strings);
    *f = (lrnde__tensors){0};
}

static lrnde_status no_memory(lrnde_error *e, const char *name)
{
    return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: out of memory", name);
}

lrnde_status lrnde__tensors_add(lrnde__tensors *f, const char *name, int32_t real_bytes, int32_t rank, const int64_t *shape,
                                lrnde__tensor **added, lrnde_error *e)
{
    lrnde__tensor *list = realloc(f->tensors, (size_t)(f->n_tensors + 1) * sizeof *list);
    if (!list) return no_memory(e, name);
    f->tensors = list;
    lrnde__tensor *t = &list[f->n_tensors++];
    *t = (lrnde__tensor){.name = strdup(name), .real_bytes = real_bytes, .rank = rank, .bytes = (size_t)real_bytes};
    for (int32_t i = 0; i < rank; i++) {
        t->shape[i] = shape[i];
        t->bytes *= (size_t)shape[i];
    }
    t->data = calloc(1, t->bytes + 1);
    *added = t;
    return t->name && t->data ? LRNDE_OK : no_memory(e, name);
}

lrnde_status lrnde__tensors_add_string(lrnde__tensors *f, const char *key, const char *value, lrnde_error *e)
{
    struct lrnde__string *list = realloc(f->strings, (size_t)(f->n_strings + 1) * sizeof *list);
    if (!list) return no_memory(e, key);
    f->strings = list;
    list[f->n_strings] = (struct lrnde__string){strdup(key), strdup(value)};
    return list[f->n_strings].key && list[f->n_strings++].value ? LRNDE_OK : no_memory(e, key);
}

lrnde__tensor *lrnde__tensors_find(const lrnde__tensors *f, const char *name)
{
    for (int32_t i = 0; i < f->n_tensors; i++)
        if (!strcmp(f->tensors[i].name, name)) return &f->tensors[i];
    return NULL;
}

const char *lrnde__tensors_string(const lrnde__tensors *f, const char *key)
{
    for (int32_t i = 0; i < f->n_strings; i++)
        if (!strcmp(f->strings[i].key, key)) return f->strings[i].value;
    return NULL;
}

/* ---- reading ---- */

typedef struct contents {
    const char *path;
    const char *data; /* behind the header */
    size_t bytes;
} contents;

/* One entry of the header.  Nothing in it is trusted: shape, offsets and the data's length must agree. */
static lrnde_status read_tensor(lrnde__tensors *f, const contents *c, const char *name, json_t *entry, lrnde_error *e)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    int64_t dims[MOST_RANK];
    size_t rank = json_array_size(shape);
    if (!dtype || !json_is_array(shape) || json_array_size(offsets) != 2 || rank > MOST_RANK)
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: not a safetensors file: tensor '%s' lacks dtype, shape or data_offsets",
                              c->path, name);
    int32_t real_bytes = !strcmp(dtype, "F32") ? 4 : !strcmp(dtype, "F64") ? 8 : 0;
    if (!real_bytes)
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: tensor '%s' has type %s, neither F32 nor F64", c->path, name, dtype);

    int64_t begin = json_integer_value(json_array_get(offsets, 0)), end = json_integer_value(json_array_get(offsets, 1));
    double bytes = real_bytes;
    for (size_t i = 0; i < rank; i++) {
        dims[i] = json_integer_value(json_array_get(shape, i));
        bytes *= dims[i] < 0 ? -1 : (double)dims[i];
    }
    if (begin < 0 || end < begin || bytes != (double)(end - begin))
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: the offsets of tensor '%s' do not fit its shape", c->path, name);
    if ((size_t)end > c->bytes)
        return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: truncated: tensor '%s' ends at byte %lld of %zu", c->path, name,
                              (long long)end, c->bytes);
    lrnde__tensor *t;
    if (lrnde__tensors_add(f, name, real_bytes, (int32_t)rank, dims, &t, e)) return e->status;
    memcpy(t->data, c->data + begin, t->bytes);
    return LRNDE_OK;
}

static lrnde_status read_header(lrnde__tensors *f, const contents *c, json_t *header, lrnde_error *e)
{
    const char *name, *key;
    json_t *entry, *string;
    json_object_foreach(header, name, entry)
    {
        lrnde_status status = LRNDE_OK;
        if (strcmp(name, METADATA)) {
            status = read_tensor(f, c, name, entry, e);
        } else {
            json_object_foreach(entry, key, string)
            {
                if (!status && json_is_string(string)) status = lrnde__tensors_add_string(f, key, json_string_value(string), e);
            }
        }
        if (status) return status;
    }
    return LRNDE_OK;
}

lrnde_status lrnde__tensors_read(lrnde__tensors *f, const char *path, lrnde_error *e)
{
    char *text;
    size_t size;
    *f = (lrnde__tensors){0};
    if (lrnde__file_read(path, &text, &size, e)) return e->status;
    uint64_t length = UINT64_MAX;
    if (size >= LENGTH_BYTES) memcpy(&length, text, LENGTH_BYTES);

    lrnde_status status;
    json_t *header = NULL;
    if (size < LENGTH_BYTES || text[LENGTH_BYTES] != '{') {
        status = lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: not a safetensors file", path);
    } else if (length > size - LENGTH_BYTES) {
        status = lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: truncated inside its header", path);
    } else if (!(header = json_loadb(text + LENGTH_BYTES, length, JSON_REJECT_DUPLICATES, NULL))) {
        status = lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: not a safetensors file: its header is no JSON object", path);
    } else {
        contents c = {path, text + LENGTH_BYTES + length, size - LENGTH_BYTES - length};
        status = read_header(f, &c, header, e);
    }
    json_decref(header);
    free(text);
    return status;
}

/* ---- writing ---- */

static json_t *describe(const lrnde__tensor *t, size_t begin)
{
    json_t *shape = json_array();
    for (int32_t i = 0; i < t->rank; i++) json_array_append_new(shape, json_integer(t->shape[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", t->real_bytes == 4 ? "F32" : "F64", "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + t->bytes));
}

/* The header as text, padded with spaces so that the data are aligned to 8 bytes. */
static char *header_text(const lrnde__tensors *f)
{
    json_t *header = json_object(), *strings = json_object();
    size_t begin = 0;
    for (int32_t i = 0; i < f->n_strings; i++) json_object_set_new(strings, f->strings[i].key, json_string(f->strings[i].value));
    json_object_set_new(header, METADATA, strings);
    for (int32_t i = 0; i < f->n_tensors; i++) {
        json_object_set_new(header, f->tensors[i].name, describe(&f->tensors[i], begin));
        begin += f->tensors[i].bytes;
    }
    char *compact = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    char *text = compact ? lrnde__format("%s%*s", compact, (int)(-strlen(compact) % 8), "") : NULL;
    free(compact);
    return text;
}

lrnde_status lrnde__tensors_write(const lrnde__tensors *f, const char *path, lrnde_error *e)
{
    lrnde__output o;
    char *header = header_text(f);
    if (!header) return no_memory(e, path);
    lrnde_status status = lrnde__output_open(&o, path, e);
    if (!status) {
        uint64_t length = strlen(header);
        fwrite(&length, LENGTH_BYTES, 1, o.to);
        fwrite(header, 1, length, o.to);
        for (int32_t i = 0; i < f->n_tensors; i++) fwrite(f->tensors[i].data, 1, f->tensors[i].bytes, o.to);
        status = lrnde__output_close(&o, e);
    }
    free(header);
    return status;
}
