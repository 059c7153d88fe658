/* jsonl.c - writes JSON lines. */
#include "io/jsonl.h"

#include <math.h>

enum { DOUBLE_DIGITS = 17 };

static void string(FILE *to, const char *s)
{
    fputc('"', to);
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            fprintf(to, "\\%c", c);
        else if (c < 0x20)
            fprintf(to, "\\u%04x", c);
        else
            fputc(c, to);
    }
    fputc('"', to);
}

static void member(lrnde__json *j, const char *key)
{
    if (j->members++) fputc(',', j->to);
    string(j->to, key);
    fputc(':', j->to);
}

static void number(lrnde__json *j, double value)
{
    if (isfinite(value))
        fprintf(j->to, "%.*g", j->digits, value);
    else
        fputs("null", j->to);
}

static void numbers(lrnde__json *j, const double *values, int64_t n)
{
    fputc('[', j->to);
    for (int64_t i = 0; i < n; i++) {
        if (i) fputc(',', j->to);
        number(j, values[i]);
    }
    fputc(']', j->to);
}

void lrnde__json_begin(lrnde__json *j, FILE *to)
{
    *j = (lrnde__json){.to = to, .digits = DOUBLE_DIGITS};
    fputc('{', to);
}

void lrnde__json_end(lrnde__json *j)
{
    fputs("}\n", j->to);
    fflush(j->to);
}

void lrnde__json_number(lrnde__json *j, const char *key, double value)
{
    member(j, key);
    number(j, value);
}

void lrnde__json_integer(lrnde__json *j, const char *key, int64_t value)
{
    member(j, key);
    fprintf(j->to, "%lld", (long long)value);
}

void lrnde__json_string(lrnde__json *j, const char *key, const char *value)
{
    member(j, key);
    string(j->to, value);
}

void lrnde__json_numbers(lrnde__json *j, const char *key, const double *values, int64_t n)
{
    member(j, key);
    numbers(j, values, n);
}

void lrnde__json_matrix(lrnde__json *j, const char *key, const double *values, int64_t rows, int64_t cols)
{
    member(j, key);
    fputc('[', j->to);
    for (int64_t r = 0; r < rows; r++) {
        if (r) fputc(',', j->to);
        numbers(j, values + r * cols, cols);
    }
    fputc(']', j->to);
}

void lrnde__json_object(lrnde__json *j, const char *key, const char *json)
{
    member(j, key);
    fputs(json, j->to);
}
