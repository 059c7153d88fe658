/*
 * methods.h - what the generator says of a method: the report of lrnde-gen --tableau.
 */
#ifndef TESTS_METHODS_H
#define TESTS_METHODS_H

#include "cli/process.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

enum { METHODS_COMMAND = 4096 };

/* Begins a command line of the generator; returns its length. */
static inline int generator_command(char command[static METHODS_COMMAND], const char *format, ...)
{
    char *generator = process_find_above("lrnde-gen");
    assert_non_null(generator);
    int n = snprintf(command, METHODS_COMMAND, "%s ", generator);
    va_list values;
    va_start(values, format);
    n += vsnprintf(command + n, METHODS_COMMAND - (size_t)n, format, values);
    va_end(values);
    free(generator);
    return n;
}

/* The report on the method of a file: name, family, order, adaptive, .. */
static inline json_t *method_report(const char *path)
{
    static char command[METHODS_COMMAND];
    generator_command(command, "--json --tableau %s", path);
    FILE *from = popen(command, "r");
    assert_non_null(from);
    json_t *report = json_loadf(from, JSON_DISABLE_EOF_CHECK, NULL);
    assert_int_equal(pclose(from), 0);
    return report;
}

static inline bool is_stochastic(const char *family)
{
    return !strcmp(family, "sri") || !strcmp(family, "sra");
}

#endif
