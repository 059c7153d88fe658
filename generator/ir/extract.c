/*
 * extract.c - the part of a graph that its outputs need, with chosen values read instead of computed.
 *
 * The one way to take a graph apart: cutting a reverse step at what the tape holds, and, with nothing to stop at, dropping
 * dead values.  Order is kept, so the text of a graph does not depend on what was cut off it.
 */
#include "ir/build.h"

ir_graph *ir_extract(const ir_graph *g, int32_t n_stops, const ir_id *stops, const char *const *names)
{
    const size_t n = (size_t)g->n_values;
    const char **read_as = ir_alloc(n * sizeof *read_as);
    bool *needed = ir_alloc(n * sizeof *needed);
    ir_id *map = ir_alloc(n * sizeof *map);

    for (int32_t i = 0; i < n_stops; i++) read_as[stops[i]] = names[i];
    for (int32_t i = 0; i < g->n_outputs; i++) needed[g->outputs[i].value] = true;
    for (ir_id i = g->n_values - 1; i >= 0; i--) {
        const ir_value *v = &g->values[i];
        for (int32_t k = 0; k < v->n_args && needed[i] && !read_as[i]; k++) needed[v->args[k]] = true;
    }

    ir_graph *part = ir_graph_new();
    for (ir_id i = 0; i < g->n_values; i++) {
        if (!needed[i]) continue;
        const ir_value *v = &g->values[i];
        map[i] = read_as[i] ? ir_input(part, read_as[i], v->kind, v->rank, v->dim) : ir_copy_value(part, v, map);
        if (map[i] == IR_NONE) return NULL;
    }
    ir_copy_outputs(part, g, map);
    return part;
}
