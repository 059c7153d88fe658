/*
 * data.h - data sets: what a model trains on, by the names of its inputs.
 *
 * Rows are samples: the training ones first, then the test ones.  A field of features is (samples, size), a series
 * (samples, times, size) over one time grid that every sample shares, a label one class number a sample.
 *
 * A reader turns files into a data set.  A reader is found because its file is there: LRNDE__READER(name) puts it into a table
 * that the linker collects.  Its arguments are the options the model file gave, in lrnde_data_desc: a nested key is written
 * "series.u", a list "x,y", the positional argument (a file or a data set's name) has the key "1".
 */
#ifndef LRNDE_IO_DATA_H
#define LRNDE_IO_DATA_H

#include "kernel.h"
#include "lrnde.h"

typedef struct lrnde__field {
    char *source;  /* file it was read from, for messages */
    int64_t times; /* of a series; 0: one row a sample */
    int64_t size;  /* features of a row */
    void *rows;    /* real, or int32_t if the input is a label */
} lrnde__field;

typedef struct lrnde__data {
    const lrnde_model_desc *model;
    int64_t train, test; /* samples */
    int64_t n_times;
    double *times;        /* (n_times), or NULL: no series */
    lrnde__field *fields; /* (model->n_inputs), in the order of model->inputs */
} lrnde__data;

/* Where files are looked for. */
typedef struct lrnde__places {
    const char *folder; /* holds the files themselves; NULL: $LRNDE_DATA/<set>, data/<set>, /usr/share/datasets/<set> */
    const char *beside; /* a folder where single files are looked for as well (the model's own), or NULL */
} lrnde__places;

/*
 * Reads the model's data set and checks it against the model's inputs: sizes, label ranges, one time grid.  Every error is one
 * line that names the file and what is wrong with it.  A model without data or inputs has one training sample.  Free data with lrnde__data_free, also after an error.
 */
lrnde_status lrnde__data_read(lrnde__data *data, const lrnde_model_desc *model, const lrnde__places *places, lrnde_error *e);
void lrnde__data_free(lrnde__data *data);

/* Bytes of one sample of an input. */
size_t lrnde__data_row_bytes(const lrnde__data *data, int32_t input);

/* rows (n, ...) = the samples samples[0..n) of an input. */
void lrnde__data_gather(const lrnde__data *data, int32_t input, const int64_t *samples, int64_t n, void *rows);

/* ---- for readers ---- */

typedef struct lrnde__reader {
    const char *name, *doc;
    lrnde_status (*read)(lrnde__data *data, const lrnde__places *places, lrnde_error *e);
} lrnde__reader;

#define LRNDE__READER(reader)                                                                                                    \
    static const lrnde__reader *const reader##_entry __attribute__((section("lrnde_readers"), used)) = &reader

/* The value of an option, or NULL. */
const char *lrnde__data_option(const lrnde__data *data, const char *key);
lrnde_status lrnde__data_need(const lrnde__data *data, const char *key, const char **value, lrnde_error *e);

/*
 * The path of `file` of data set `set`, or of a single file if set is NULL; the caller frees *path.  With `gz`, FILE.gz will do.
 * If it is nowhere, the error lists the folders searched.
 */
lrnde_status lrnde__data_find(const lrnde__places *places, const char *set, const char *file, int gz, char **path,
                              lrnde_error *e);

/* Allocates a field's rows once data->train, test, and the field's times and size are known. */
lrnde_status lrnde__data_alloc(lrnde__data *data, int32_t input, const char *source, lrnde_error *e);

/* Stores one number of a field, as the model's real or as a label.  index: over all the rows. */
void lrnde__data_store(lrnde__data *data, int32_t input, int64_t index, double value);

#endif
