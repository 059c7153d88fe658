/*
 * jsonl.h - JSON lines: one object a line, for logs and for --json.
 *
 *     lrnde__json j;
 *     lrnde__json_begin(&j, stdout);
 *     lrnde__json_number(&j, "loss", 0.5);
 *     lrnde__json_end(&j);                         {"loss":0.5}
 *
 * Numbers have `digits` significant digits: 17, which name a double exactly, until the caller sets another; 9 do for a float.
 * What JSON has no number for (NaN, infinities) is null.  Write errors stay in the stream: check ferror when closing it.
 */
#ifndef LRNDE_IO_JSONL_H
#define LRNDE_IO_JSONL_H

#include <stdint.h>
#include <stdio.h>

typedef struct lrnde__json {
    FILE *to;
    int digits;
    int members; /* written so far: the next one needs a comma */
} lrnde__json;

void lrnde__json_begin(lrnde__json *j, FILE *to);
void lrnde__json_end(lrnde__json *j);

void lrnde__json_number(lrnde__json *j, const char *key, double value);
void lrnde__json_integer(lrnde__json *j, const char *key, int64_t value);
void lrnde__json_string(lrnde__json *j, const char *key, const char *value);
void lrnde__json_numbers(lrnde__json *j, const char *key, const double *values, int64_t n);
/* A list of `rows` lists. */
void lrnde__json_matrix(lrnde__json *j, const char *key, const double *values, int64_t rows, int64_t cols);
/* A value that is JSON already. */
void lrnde__json_object(lrnde__json *j, const char *key, const char *json);

#endif
