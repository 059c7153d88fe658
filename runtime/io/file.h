/*
 * file.h - whole files: read at once, written atomically.
 *
 * A written file appears under its name complete or not at all, even if the machine stops: the bytes go to a temporary file
 * beside it, are synced, and replace it by rename.
 */
#ifndef LRNDE_IO_FILE_H
#define LRNDE_IO_FILE_H

#include "lrnde.h"

#include <stddef.h>
#include <stdio.h>

/* Sets e to `status` with one line of text, and returns `status`. */
lrnde_status lrnde__io_fail(lrnde_error *e, lrnde_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* printf into a new string that the caller frees.  NULL only if memory is exhausted. */
char *lrnde__format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The whole file, gunzipped if it is gzipped, with a NUL after its `size` bytes.  The caller frees *text. */
lrnde_status lrnde__file_read(const char *path, char **text, size_t *size, lrnde_error *e);

/* Creates the folder and its parents. */
lrnde_status lrnde__make_folder(const char *path, lrnde_error *e);

/* $LRNDE_CACHE, else ~/.cache/lrnde: its path, which the caller frees, once it is there.  NULL: e says why not. */
char *lrnde__cache_folder(lrnde_error *e);

typedef struct lrnde__output {
    FILE *to;
    char *path, *temporary;
} lrnde__output;

/* Opens a temporary file beside `path`; write to o->to, then close.  Nothing to close if it fails. */
lrnde_status lrnde__output_open(lrnde__output *o, const char *path, lrnde_error *e);

/* Puts the file in place, or removes it and says what went wrong while writing. */
lrnde_status lrnde__output_close(lrnde__output *o, lrnde_error *e);

#endif
