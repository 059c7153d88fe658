/*
 * table.h - a CSV file as text cells with column names from its first line.
 *
 * Cells are separated by commas and may be quoted ("a ""b"", c"); a quoted cell stays on its line.  Row r of the table is line
 * r + 2 of the file.
 */
#ifndef LRNDE_IO_TABLE_H
#define LRNDE_IO_TABLE_H

#include "lrnde.h"

#include <stdint.h>

typedef struct lrnde__table {
    const char *path;
    int64_t rows, cols;
    char **names; /* (cols) */
    char **cells; /* (rows, cols) */
    char *text;   /* what they point into */
} lrnde__table;

/* path is borrowed until free. */
lrnde_status lrnde__table_read(lrnde__table *t, const char *path, lrnde_error *e);
void lrnde__table_free(lrnde__table *t);

/* The column of a name; an unknown one is an error that names the nearest. */
lrnde_status lrnde__table_column(const lrnde__table *t, const char *name, int64_t *col, lrnde_error *e);

/* The number in a cell; what is missing (empty, NaN) or no number is an error that says where. */
lrnde_status lrnde__table_number(const lrnde__table *t, int64_t row, int64_t col, double *value, lrnde_error *e);

#endif
