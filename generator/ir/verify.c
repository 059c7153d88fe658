/*
 * verify.c - every invariant of a graph, checked again: what the passes may rely on and must leave behind.
 *
 * Arguments precede their users; kind and shape are what the rules of infer.c give; inputs have a name of their own; an
 * output exists.  A field is written once, unless all that write it accumulate.
 */
#include <string.h>

#include "ir/build.h"

static bool verify_value(const ir_graph *g, ir_id id)
{
    const ir_value *v = &g->values[id];
    if ((int)v->op < 0 || v->op >= IR_OPS) return ir_fail("op %d does not exist", (int)v->op);
    ir_value w = *v;
    if (!ir_infer(g, &w)) return false;
    for (int32_t i = 0; i < v->n_args; i++)
        if (v->args[i] >= id) return ir_fail("%s: argument %%%d is not computed yet", ir_ops[v->op].name, (int)v->args[i]);
    if (w.kind != v->kind || w.rank != v->rank || memcmp(w.dim, v->dim, sizeof w.dim) != 0)
        return ir_fail("%s: it is recorded as %s %s but must be %s %s", ir_ops[v->op].name,
                       v->kind == IR_SAMPLE ? "sample" : "shared", ir_shape(v).s, w.kind == IR_SAMPLE ? "sample" : "shared",
                       ir_shape(&w).s);
    return true;
}

static bool verify_names(const ir_graph *g)
{
    ir_id *inputs = ir_alloc((size_t)g->n_values * sizeof *inputs);
    int32_t n = ir_inputs(g, inputs);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < i; j++)
            if (strcmp(g->values[inputs[i]].name, g->values[inputs[j]].name) == 0)
                return ir_fail("inputs %%%d and %%%d are both '%s'", (int)inputs[j], (int)inputs[i], g->values[inputs[i]].name);
    return true;
}

static bool verify_output(const ir_graph *g, int32_t index)
{
    const ir_output *o = &g->outputs[index];
    if (!o->name || !*o->name) return ir_fail("output %d has no name", (int)index);
    if (o->value < 0 || o->value >= g->n_values) return ir_fail("output '%s': there is no value %d", o->name, (int)o->value);
    for (int32_t i = 0; i < index; i++)
        if (strcmp(g->outputs[i].name, o->name) == 0 && !(o->accumulate && g->outputs[i].accumulate))
            return ir_fail("output '%s' is written twice", o->name);
    return true;
}

bool ir_verify(const ir_graph *g)
{
    for (ir_id i = 0; i < g->n_values; i++)
        if (!verify_value(g, i)) return ir_fail("%%%d: %s", (int)i, ir_error());
    for (int32_t i = 0; i < g->n_outputs; i++)
        if (!verify_output(g, i)) return false;
    return verify_names(g);
}
