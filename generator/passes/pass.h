/*
 * pass.h - what a pass is: a function from a verified graph to a new one that computes the same outputs.
 *
 * Every pass keeps the names of inputs and the order and names of outputs; only dce may drop an input, one that nothing
 * uses any more.  passes.def lists them in order, and that list is all a caller needs:
 *
 *     for (int i = 0; i < PASSES; i++) g = pass_run(g, passes[i].name, NULL);
 */
#ifndef LRNDE_PASS_H
#define LRNDE_PASS_H

#include "ir/ir.h"

typedef struct pass_options {
    int64_t unroll_budget; /* unroll: at most so many values that compute something, else nothing is unrolled */
    int32_t unroll_width;  /* unroll: vectors of at most so many features; 0: none */
} pass_options;
extern const pass_options pass_defaults;

typedef ir_graph *pass_fn(const ir_graph *g, const pass_options *options);
typedef struct pass_info {
    const char *name, *doc;
    pass_fn *run;
} pass_info;

#define PASS(name, doc) pass_fn pass_##name;
#include "passes/passes.def"
#undef PASS

enum {
#define PASS(name, doc) PASS_##name,
#include "passes/passes.def"
#undef PASS
    PASSES
};
extern const pass_info passes[PASSES];

/* Runs one pass and verifies what it left; NULL with a message in ir_error() if there is no such pass or the result is
 * not a graph any more.  options may be NULL: pass_defaults. */
ir_graph *pass_run(const ir_graph *g, const char *name, const pass_options *options);

#endif
