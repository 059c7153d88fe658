/*
 * count.c - what a graph costs: floating point operations, and elements of per-sample arrays read and written.
 *
 * Work is counted where it is done: an op that reads a per-sample value runs once for every sample, even if, like
 * batch_sum and outer, it leaves one result for the batch.  Reductions count the elements they reduce.
 */
#include "ir/build.h"

/* The elements an op's flops are counted for. */
static int64_t elements(const ir_graph *g, const ir_value *v)
{
    switch (v->op) {
    case IR_sum:
    case IR_rowmax:
    case IR_argmax:
    case IR_matvec:
    case IR_matvec_t: return ir_size(&g->values[v->args[0]]);
    case IR_lu: { /* a third of the cube of the rows; the rest is less */
        const int64_t n = ir_size(v) - ir_size(&g->values[v->args[0]]);
        return n * n * n / 3;
    }
    case IR_lu_solve:
    case IR_lu_solve_t: return ir_size(v) * ir_size(v);
    default: return ir_size(v);
    }
}

static bool per_sample(const ir_graph *g, const ir_value *v)
{
    for (int32_t i = 0; i < v->n_args; i++)
        if (g->values[v->args[i]].kind == IR_SAMPLE) return true;
    return v->kind == IR_SAMPLE;
}

ir_counts ir_count(const ir_graph *g)
{
    ir_counts c = {0};
    for (ir_id i = 0; i < g->n_values; i++) {
        const ir_value *v = &g->values[i];
        const bool sparse = ir_ops[v->op].class == IR_SOLVE && v->attr[1];
        *(per_sample(g, v) ? &c.flop : &c.shared_flop) += sparse ? v->attr[1] : ir_ops[v->op].flops * elements(g, v);
        if (v->op == IR_input && v->kind == IR_SAMPLE) c.loads += ir_size(v);
        c.op[v->op]++;
    }
    for (int32_t i = 0; i < g->n_outputs; i++) {
        const ir_value *v = &g->values[g->outputs[i].value];
        if (v->kind == IR_SAMPLE) c.stores += ir_size(v);
    }
    return c;
}
