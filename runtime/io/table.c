/* table.c - splits a CSV file in place. */
#include "io/table.h"
#include "io/file.h"
#include "io/nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Cuts one cell off at *p, unquoting it in place.  Returns the cell; *more tells whether another follows on the line. */
static char *cut(char **p, int *more)
{
    char *cell = *p, *from = *p, *to = *p;
    if (*from == '"') {
        for (from++; *from && *from != '\n' && (*from != '"' || from[1] == '"'); *to++ = *from++) from += *from == '"';
        from += *from == '"';
    }
    while (*from && *from != ',' && *from != '\n') *to++ = *from++;
    while (to > cell && to[-1] == '\r') to--;
    *more = *from == ',';
    *p = from + (*from != '\0');
    *to = '\0';
    return cell;
}

static int64_t count(const char *text, const char *end, char c)
{
    int64_t n = 0;
    for (const char *p = text; p < end; p++) n += *p == c;
    return n;
}

/* Cuts one line into t->cols cells.  Returns how many it really has. */
static int64_t cut_line(const lrnde__table *t, char **p, char **cells)
{
    int more = 1;
    int64_t n = 0;
    while (more) {
        char *cell = cut(p, &more);
        if (n < t->cols) cells[n] = cell;
        n++;
    }
    return n;
}

lrnde_status lrnde__table_read(lrnde__table *t, const char *path, lrnde_error *e)
{
    size_t size;
    *t = (lrnde__table){.path = path};
    if (lrnde__file_read(path, &t->text, &size, e)) return e->status;
    while (size && (t->text[size - 1] == '\n' || t->text[size - 1] == '\r')) t->text[--size] = '\0';

    int64_t lines = count(t->text, t->text + size, '\n');
    int64_t most = count(t->text, t->text + strcspn(t->text, "\n"), ',') + 1;
    char *p = t->text;
    t->names = malloc((size_t)most * sizeof *t->names);
    t->cells = malloc((size_t)(lines * most + 1) * sizeof *t->cells);
    if (!t->names || !t->cells) {
        lrnde__table_free(t);
        return lrnde__io_fail(e, LRNDE_ERR_MEMORY, "%s: not enough memory to read it", path);
    }
    t->cols = most;
    t->cols = cut_line(t, &p, t->names);
    for (; t->rows < lines; t->rows++) {
        int64_t n = cut_line(t, &p, t->cells + t->rows * t->cols);
        if (n == t->cols) continue;
        lrnde__io_fail(e, LRNDE_ERR_FILE, "%s:%lld: error: %lld cells where the first line has %lld", path,
                       (long long)t->rows + 2, (long long)n, (long long)t->cols);
        lrnde__table_free(t);
        return e->status;
    }
    return LRNDE_OK;
}

void lrnde__table_free(lrnde__table *t)
{
    free(t->names);
    free(t->cells);
    free(t->text);
    *t = (lrnde__table){0};
}

lrnde_status lrnde__table_column(const lrnde__table *t, const char *name, int64_t *col, lrnde_error *e)
{
    for (*col = 0; *col < t->cols; ++*col)
        if (!strcmp(t->names[*col], name)) return LRNDE_OK;
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s: no column '%s'; the nearest is '%s'", t->path, name,
                          lrnde__nearest(name, t->names, (size_t)t->cols, sizeof *t->names));
}

lrnde_status lrnde__table_number(const lrnde__table *t, int64_t row, int64_t col, double *value, lrnde_error *e)
{
    const char *cell = t->cells[row * t->cols + col];
    char *end;
    *value = strtod(cell, &end);
    end += strspn(end, " \t");
    if (!*end && end != cell && !isnan(*value)) return LRNDE_OK;
    const char *wrong = *end && strspn(cell, " \t") != strlen(cell) ? "is not a number" : "is missing";
    return lrnde__io_fail(e, LRNDE_ERR_FILE, "%s:%lld: error: '%s' in column %s %s", t->path, (long long)row + 2, cell,
                          t->names[col], wrong);
}
