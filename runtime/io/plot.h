/* plot.h - curves as an .svg or .png file, drawn by gnuplot. */
#ifndef LRNDE_IO_PLOT_H
#define LRNDE_IO_PLOT_H

#include "lrnde.h"

typedef struct lrnde__curve {
    const char *title; /* "": none in the key */
    int64_t n;
    const double *x, *y; /* y[i * stride] belongs to x[i]; a NaN is left out */
    int64_t stride;
    const char *style; /* gnuplot's, as "lines"; NULL: lines with points */
} lrnde__curve;

/* Fails with a line that says so if gnuplot is not installed. */
lrnde_status lrnde__plot(const char *path, const char *title, const char *x_label, const lrnde__curve *curves, int32_t n,
                         lrnde_error *e);

#endif
