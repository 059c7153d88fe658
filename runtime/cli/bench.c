/* bench.c - lrnde-bench: runs the cases that are linked in. */
#include "cli/bench.h"
#include "cli/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_options {
#define OPTION OPTIONS_STRUCT_FIELD
#include "cli/bench.def"
#undef OPTION
    option_texts operands;
} bench_options;

#define OPTIONS_OF bench_options
static const option_desc TABLE[] = {
#define OPTION OPTIONS_TABLE_ROW
#include "cli/bench.def"
#undef OPTION
};

const options_tool lrnde_bench_tool = {
    .program = "lrnde-bench",
    .usage = "[options] [CASE...]",
    .doc = "Times the cases (default: all) against their peers: a ratio below 1 means ours is faster.",
    .options = TABLE,
    .n_options = sizeof TABLE / sizeof *TABLE,
    .operands = offsetof(bench_options, operands),
    .max_operands = INT64_MAX,
};

/* The table of cases, from the first to behind the last; both NULL if there are none. */
extern const lrnde_bench_case *const __start_lrnde_bench_cases[] __attribute__((weak));
extern const lrnde_bench_case *const __stop_lrnde_bench_cases[] __attribute__((weak));

#define FOR_CASES(c) for (const lrnde_bench_case *const *c = __start_lrnde_bench_cases; c < __stop_lrnde_bench_cases; c++)

static const lrnde_bench_case *find(const char *name)
{
    FOR_CASES(c)
    {
        if (!strcmp((*c)->name, name)) return *c;
    }
    return NULL;
}

static void show(const bench_options *o, const lrnde_bench_case *c, const lrnde_bench_result *r, const char *config)
{
    double ratio = r->ours_s / r->reference_s;
    if (!o->json && isnan(r->ours_s)) {
        printf("%-14s %s: not counted\n", c->name, r->uncounted);
        return;
    }
    if (!o->json && *r->uncounted) {
        printf("%-14s %9.4g us (%s: not counted)\n", c->name, 1e6 * r->ours_s, r->uncounted);
        return;
    }
    if (!o->json && isnan(r->reference_s)) {
        printf("%-14s %9.4g us; %s is not installed: not counted\n", c->name, 1e6 * r->ours_s, r->reference);
        return;
    }
    if (!o->json) {
        printf("%-14s %9.4g us, %s%s%s%s %.4g us: ratio %.3f (spread %.0f %%), target %.2f %s\n", c->name, 1e6 * r->ours_s,
               r->reference, r->library ? " (" : "", r->library ? r->library : "", r->library ? ")" : "", 1e6 * r->reference_s,
               ratio, 100 * r->spread, c->target, ratio <= c->target ? "met" : "MISSED");
        if (r->note) printf("%-14s note: %s\n", "", r->note);
        return;
    }
    lrnde__json j;
    lrnde__json_begin(&j, stdout);
    lrnde__json_string(&j, "case", c->name);
    lrnde__json_number(&j, "ours_s", r->ours_s);
    lrnde__json_string(&j, "reference", r->reference);
    lrnde__json_number(&j, "reference_s", r->reference_s);
    lrnde__json_number(&j, "ratio", ratio);
    lrnde__json_number(&j, "target", c->target);
    if (*r->uncounted)
        lrnde__json_string(&j, "uncounted", r->uncounted);
    else
        lrnde__json_integer(&j, "met", ratio <= c->target);
    lrnde__json_number(&j, "spread", r->spread);
    lrnde__json_number(&j, "least_s", r->least_s);
    lrnde__json_number(&j, "reference_least_s", r->reference_least_s);
    lrnde__json_integer(&j, "threads", r->threads);
    if (r->note) lrnde__json_string(&j, "note", r->note);
    lrnde__json_object(&j, "config", config);
    lrnde__json_end(&j);
}

static int run_case(const bench_options *o, const lrnde_bench_case *c)
{
    lrnde_bench_result result = {.ours_s = NAN, .reference_s = NAN, .reference = ""};
    lrnde__json config;
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to) abort();
    lrnde__json_begin(&config, to);
    int code = c->run(o->threads > 0 ? (int)o->threads : 0, &result, &config);
    lrnde__json_end(&config);
    fclose(to);
    text[strcspn(text, "\n")] = '\0';
    if (!code) show(o, c, &result, text);
    free(text);
    return code;
}

static int run(const bench_options *o)
{
    int code = EXIT_DONE;
    if (o->list) {
        FOR_CASES(c) printf("%-24s %s\n", (*c)->name, (*c)->doc);
        return EXIT_DONE;
    }
    for (int64_t i = 0; i < o->operands.n; i++)
        if (!find(o->operands.v[i])) return cli_error(&lrnde_bench_tool, "no case '%s' (--list names them)", o->operands.v[i]);
    for (int64_t i = 0; i < o->operands.n && !code; i++) code = run_case(o, find(o->operands.v[i]));
    if (o->operands.n) return code;
    FOR_CASES(c)
    {
        if (!code) code = run_case(o, *c);
    }
    return code;
}

int main(int argc, char **argv)
{
    bench_options options;
    int code = cli_parse(&lrnde_bench_tool, &options, argc, argv);
    if (code != OPTIONS_RUN) return code;
    code = run(&options);
    cli_free(&lrnde_bench_tool, &options);
    return code;
}
