/* pass.c - the pass list as a table, and how one of it is run. */
#include "passes/pass.h"

#include <string.h>

#include "ir/build.h"

const pass_options pass_defaults = {.unroll_budget = 1500, .unroll_width = 32};

const pass_info passes[PASSES] = {
#define PASS(name, doc) {#name, doc, pass_##name},
#include "passes/passes.def"
#undef PASS
};

ir_graph *pass_run(const ir_graph *g, const char *name, const pass_options *options)
{
    for (int i = 0; i < PASSES; i++) {
        if (strcmp(passes[i].name, name) != 0) continue;
        ir_graph *result = passes[i].run(g, options ? options : &pass_defaults);
        if (ir_verify(result)) return result;
        ir_fail("after pass %s: %s", name, ir_error());
        return NULL;
    }
    ir_fail("there is no pass '%s'", name);
    return NULL;
}
