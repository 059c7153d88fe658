/* options.c - parses a command line by a table, and prints the table as help. */
#include "cli/options.h"
#include "io/nearest.h"
#include "cli/version.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const option_desc COMMON[] = {
    {"help", 'h', OPTION_FLAG, 0, NULL, "this text"},
    {"version", 'V', OPTION_FLAG, 0, NULL, "the version"},
};
enum { N_COMMON = sizeof COMMON / sizeof *COMMON };

int cli_error(const options_tool *tool, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s: error: ", tool->program);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return EXIT_INPUT;
}

static void help_line(const option_desc *o)
{
    char left[40], letter[5] = "    ";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(left, sizeof left, "%s--%s %s", letter, o->name, o->argument ? o->argument : "");
    printf("  %-32s %s\n", left, o->help);
}

static void help(const options_tool *tool)
{
    printf("usage: %s %s\n%s\n\n", tool->program, tool->usage, tool->doc);
    for (size_t i = 0; i < tool->n_options; i++) help_line(&tool->options[i]);
    for (size_t i = 0; i < N_COMMON; i++) help_line(&COMMON[i]);
}

static int number(const char *text, char **end, double *value)
{
    *value = strtod(text, end);
    return *end == text || !isfinite(*value) ? -1 : 0;
}

int cli_reals(const char *text, option_reals *list)
{
    size_t commas = 0;
    for (const char *p = text; *p; p++) commas += *p == ',';
    double *v = malloc((commas + 1) * sizeof *v);
    int64_t n = 0;
    char *end = (char *)text;
    if (!v) return -1;
    for (const char *p = text;; p = end + 1) {
        if (number(p, &end, &v[n++]) || (*end && *end != ',')) {
            free(v);
            return -1;
        }
        if (!*end) break;
    }
    free(list->v);
    *list = (option_reals){v, n};
    return 0;
}

void cli_append(option_texts *list, const char *text)
{
    const char **v = realloc(list->v, (size_t)(list->n + 1) * sizeof *v);
    if (!v) abort();
    v[list->n] = text;
    *list = (option_texts){v, list->n + 1};
}

static int whole_number(const char *text, int64_t least, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return end == text || *end || errno || *value < least ? -1 : 0;
}

/* Stores one value.  Returns what the text should have been, or NULL if it is fine. */
static const char *store(const option_desc *o, void *values, const char *text)
{
    void *at = (char *)values + o->offset;
    char *end;
    switch (o->kind) {
    case OPTION_FLAG: *(int *)at = 1; return NULL;
    case OPTION_TEXT: *(const char **)at = text; return NULL;
    case OPTION_TEXTS: cli_append(at, text); return NULL;
    case OPTION_REALS: return cli_reals(text, at) ? "a list of numbers: 1,2,3" : NULL;
    case OPTION_REAL: return number(text, &end, at) || *end ? "a number" : NULL;
    case OPTION_INTEGER: return whole_number(text, 0, at) ? "a whole number, 0 or more" : NULL;
    case OPTION_COUNT: return whole_number(text, 1, at) ? "a whole number, 1 or more" : NULL;
    }
    return NULL;
}

static void set_defaults(const options_tool *tool, void *values)
{
    for (size_t i = 0; i < tool->n_options; i++) {
        void *at = (char *)values + tool->options[i].offset;
        switch (tool->options[i].kind) {
        case OPTION_FLAG: *(int *)at = 0; break;
        case OPTION_TEXT: *(const char **)at = NULL; break;
        case OPTION_INTEGER:
        case OPTION_COUNT: *(int64_t *)at = -1; break;
        case OPTION_REAL: *(double *)at = NAN; break;
        case OPTION_REALS: *(option_reals *)at = (option_reals){0}; break;
        case OPTION_TEXTS: *(option_texts *)at = (option_texts){0}; break;
        }
    }
    *(option_texts *)((char *)values + tool->operands) = (option_texts){0};
}

void cli_free(const options_tool *tool, void *values)
{
    for (size_t i = 0; i < tool->n_options; i++) {
        void *at = (char *)values + tool->options[i].offset;
        if (tool->options[i].kind == OPTION_REALS) free(((option_reals *)at)->v);
        if (tool->options[i].kind == OPTION_TEXTS) free(((option_texts *)at)->v);
    }
    free(((option_texts *)((char *)values + tool->operands))->v);
}

/* The option that `word` ("--name", "--name=value" or "-x") names, or NULL. */
static const option_desc *find(const option_desc *options, size_t n, const char *word)
{
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < n; i++) {
        const option_desc *o = &options[i];
        if (!strncmp(word, "--", 2) && strlen(o->name) == length - 2 && !strncmp(word + 2, o->name, length - 2)) return o;
        if (o->letter && word[1] == o->letter && length == 2) return o;
    }
    return NULL;
}

static int unknown(const options_tool *tool, const char *word)
{
    char name[64];
    const char *bare = word + strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
    const char *nearest = lrnde__nearest(name, &tool->options[0].name, tool->n_options, sizeof *tool->options);
    return cli_error(tool, "unknown option '%s'; the nearest is '--%s' (--help lists all)", word, nearest);
}

/* One option at argv[*i]; moves *i over its value. */
static int parse_option(const options_tool *tool, void *values, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    const option_desc *common = find(COMMON, N_COMMON, word);
    if (common) {
        if (common->letter == 'h')
            help(tool);
        else
            printf("%s %s\n", tool->program, LRNDE_VERSION);
        return EXIT_DONE;
    }
    const option_desc *o = find(tool->options, tool->n_options, word);
    if (!o) return unknown(tool, word);

    const char *equals = strchr(word, '=');
    const char *value = equals ? equals + 1 : NULL;
    if (o->kind == OPTION_FLAG) {
        if (value) return cli_error(tool, "--%s takes no value", o->name);
    } else if (!value) {
        if (*i + 1 == argc) return cli_error(tool, "--%s needs a value: %s", o->name, o->argument);
        value = argv[++*i];
    }
    const char *wanted = store(o, values, value);
    return wanted ? cli_error(tool, "--%s: '%s' is not %s", o->name, value, wanted) : OPTIONS_RUN;
}

int cli_parse(const options_tool *tool, void *values, int argc, char **argv)
{
    option_texts *operands = (option_texts *)((char *)values + tool->operands);
    int result = OPTIONS_RUN, only_operands = 0;
    set_defaults(tool, values);
    for (int i = 1; i < argc && result == OPTIONS_RUN; i++) {
        if (!only_operands && !strcmp(argv[i], "--"))
            only_operands = 1;
        else if (only_operands || argv[i][0] != '-' || !argv[i][1])
            cli_append(operands, argv[i]);
        else
            result = parse_option(tool, values, argc, argv, &i);
    }
    if (result == OPTIONS_RUN && operands->n < tool->min_operands)
        result = cli_error(tool, "usage: %s %s", tool->program, tool->usage);
    if (result == OPTIONS_RUN && operands->n > tool->max_operands)
        result = cli_error(tool, "unexpected argument '%s'", operands->v[tool->max_operands]);
    if (result != OPTIONS_RUN) cli_free(tool, values);
    return result;
}
