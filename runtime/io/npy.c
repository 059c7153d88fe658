/* npy.c - the format: magic, version, 2 bytes of header length, a Python dictionary as text, the numbers. */
#include "io/npy.h"
#include "io/file.h"

#include <stdlib.h>
#include <string.h>

static const char MAGIC[] = "\x93NUMPY\x01"; /* and a zero: version 1.0 */
enum { PREFIX = 10, ALIGNMENT = 64 };

static lrnde_status wrong(const char *path, const char *what, lrnde_error *e)
{
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: %s", path, what);
}

/* The tuple behind 'shape':  "(3, 2), ...".  Returns the number of elements, or -1. */
static int64_t parse_shape(lrnde__npy *a, const char *text)
{
    int64_t n = 1;
    const char *p = text ? strchr(text, '(') : NULL;
    if (!p) return -1;
    for (p++; *p != ')'; p += strspn(p, ", ")) {
        char *end;
        long long dim = strtoll(p, &end, 10);
        if (end == p || dim < 0 || a->rank == LRNDE__NPY_RANK) return -1;
        if (dim && n > INT32_MAX / dim) return -1;
        a->shape[a->rank++] = dim;
        n *= dim;
        p = end;
    }
    return n;
}

static lrnde_status parse(lrnde__npy *a, const char *path, const char *text, size_t size, lrnde_error *e)
{
    uint16_t length;
    if (size < PREFIX || memcmp(text, MAGIC, sizeof MAGIC)) return wrong(path, "not a .npy file of version 1.0", e);
    memcpy(&length, text + sizeof MAGIC, sizeof length);
    if ((size_t)PREFIX + length > size) return wrong(path, "truncated inside its header", e);

    char *header = strndup(text + PREFIX, length);
    if (!header) return wrong(path, "out of memory", e);
    const char *shape = strstr(header, "'shape'");
    int bytes = strstr(header, "'<f8'") ? 8 : strstr(header, "'<f4'") ? 4 : 0;
    int c_order = strstr(header, "'fortran_order': False") != NULL;
    int64_t n = parse_shape(a, shape);
    free(header);
    if (!bytes) return wrong(path, "its numbers are neither '<f8' nor '<f4'", e);
    if (!c_order || n < 0) return wrong(path, "not an array in C order of at most 4 dimensions", e);
    if ((size_t)n * (size_t)bytes != size - PREFIX - length) return wrong(path, "its length does not fit its shape", e);

    const char *numbers = text + PREFIX + length;
    a->v = malloc((size_t)n * sizeof *a->v + 1);
    if (!a->v) return wrong(path, "not enough memory to read it", e);
    for (int64_t i = 0; i < n; i++) {
        float single;
        if (bytes == 8) memcpy(&a->v[i], numbers + 8 * i, 8);
        if (bytes == 4) {
            memcpy(&single, numbers + 4 * i, 4);
            a->v[i] = (double)single;
        }
    }
    return LRNDE_OK;
}

lrnde_status lrnde__npy_read(lrnde__npy *a, const char *path, lrnde_error *e)
{
    char *text;
    size_t size;
    *a = (lrnde__npy){0};
    if (lrnde__file_read(path, &text, &size, e)) return e->status;
    lrnde_status status = parse(a, path, text, size, e);
    free(text);
    return status;
}

lrnde_status lrnde__npy_write(const lrnde__npy *a, const char *path, lrnde_error *e)
{
    char shape[128] = "", header[256];
    size_t n = 1;
    lrnde__output o;
    for (int32_t i = 0; i < a->rank; i++) {
        size_t at = strlen(shape);
        snprintf(shape + at, sizeof shape - at, "%lld,", (long long)a->shape[i]);
        n *= (size_t)a->shape[i];
    }
    snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': False, 'shape': (%s), }", shape);
    size_t used = PREFIX + strlen(header) + 1, padding = (ALIGNMENT - used % ALIGNMENT) % ALIGNMENT;
    uint16_t length = (uint16_t)(used + padding - PREFIX);

    if (lrnde__output_open(&o, path, e)) return e->status;
    fwrite(MAGIC, sizeof MAGIC, 1, o.to);
    fwrite(&length, sizeof length, 1, o.to);
    fprintf(o.to, "%s%*s\n", header, (int)padding, "");
    fwrite(a->v, sizeof *a->v, n, o.to);
    return lrnde__output_close(&o, e);
}
