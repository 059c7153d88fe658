/*
 * options.h - command lines as tables.
 *
 * A tool's options are lines of its .def file:  OPTION(KIND, field, "long-name", 'letter' or 0, "ARGUMENT", "help").
 * The same lines make the struct that receives the values (OPTIONS_STRUCT) and the table that parses and documents them
 * (OPTIONS_TABLE), so an option cannot lack a help line or a field.
 *
 *   KIND      C type             not given     on the command line
 *   FLAG      int                0             --stats
 *   TEXT      const char *       NULL          --out DIR, --out=DIR
 *   INTEGER   int64_t            -1            --seed 3: 0 or more
 *   COUNT     int64_t            -1            --steps 3: 1 or more
 *   REAL      double             NAN           --atol 1e-8: finite
 *   REALS     option_reals       n = 0         --u0 1,2,3
 *   TEXTS     option_texts       n = 0         --set a=1 --set b=2: may be given again
 */
#ifndef LRNDE_CLI_OPTIONS_H
#define LRNDE_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Exit codes of every tool. */
enum { EXIT_DONE = 0, EXIT_INPUT = 1, EXIT_INTERNAL = 2, EXIT_COMPUTATION = 3, EXIT_INTERRUPTED = 130 };

/* What cli_parse returns when the tool has work to do. */
enum { OPTIONS_RUN = -1 };

typedef struct option_reals {
    double *v;
    int64_t n;
} option_reals;

typedef struct option_texts {
    const char **v;
    int64_t n;
} option_texts;

typedef enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_INTEGER,
    OPTION_COUNT,
    OPTION_REAL,
    OPTION_REALS,
    OPTION_TEXTS
} option_kind;

typedef int option_type_FLAG;
typedef const char *option_type_TEXT;
typedef int64_t option_type_INTEGER;
typedef int64_t option_type_COUNT;
typedef double option_type_REAL;
typedef option_reals option_type_REALS;
typedef option_texts option_type_TEXTS;

typedef struct option_desc {
    const char *name;
    char letter;
    option_kind kind;
    size_t offset; /* of the value in the tool's struct */
    const char *argument, *help;
} option_desc;

/* What is not an option goes into the field `operands` (an option_texts). */
typedef struct options_tool {
    const char *program, *usage, *doc;
    const option_desc *options;
    size_t n_options;
    size_t operands;
    int64_t min_operands, max_operands;
} options_tool;

#define OPTIONS_STRUCT_FIELD(kind, field, name, letter, argument, help) option_type_##kind field;
#define OPTIONS_TABLE_ROW(kind, field, name, letter, argument, help)                                                             \
    {name, letter, OPTION_##kind, offsetof(OPTIONS_OF, field), argument, help},

/*
 * Fills `values` (the tool's struct) with what the command line gives and the table's defaults.
 * Returns OPTIONS_RUN, or the exit code the tool should end with: after --help and --version, or after an error, which has
 * been reported on stderr.
 */
int cli_parse(const options_tool *tool, void *values, int argc, char **argv);

/* Frees the lists that cli_parse allocated. */
void cli_free(const options_tool *tool, void *values);

/* Prints "PROGRAM: error: ..." to stderr and returns EXIT_INPUT. */
int cli_error(const options_tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds to a list that cli_parse has filled; text is borrowed. */
void cli_append(option_texts *list, const char *text);

/* Parses "1,2.5,-3e2".  Returns 0, or -1 if that is not a list of numbers. */
int cli_reals(const char *text, option_reals *list);

#endif
