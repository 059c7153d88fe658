/*
 * fold.c - what can be computed, or need not be computed, while compiling.
 *
 * Enters any graph; leaves one in which no value has a simpler form by the rules of fold_map.c (algebra) and fold_move.c
 * (moves of elements).  Values whose users went elsewhere stay behind for dce.
 *
 * Why it is exact.  Constants are computed as the evaluator does, in double.  The algebra is that of real numbers, with two
 * liberties against IEEE 754: x * 0 is 0 also where x is infinite or not a number, and the sign of a zero may change
 * (x + 0, 0 - x, -(x - y)).  Sums are not reassociated; but for a sum of n equal features, which becomes a product, and
 * x^0.5, which becomes sqrt, every result keeps its bits.
 *
 * Shapes.  MAP ops broadcast, so a scalar that was expanded to a vector, or a shared value that was spread over the batch, is
 * peeled off before the algebra: add(u, expand(0)) is u.  If that leaves the result narrower than its users expect, `conform`
 * puts the repetition back on it, where the next user can peel it off again.  So the repetitions sink to where one is needed.
 *
 * Why it ends.  One walk; a rule builds from arguments that are folded already, and takes an op away or puts in its place
 * cheaper ones (products for a power) that no rule turns back.
 *
 *     %2 = const 0            mul %1 %2 -> const 0            the weight of a stage that a tableau does not use
 *     %3 = mul %1 %2          add %0 const 0 -> %0
 *     %4 = add %0 %3                                          %4 is %0
 */
#include "passes/fold.h"

#include "passes/pass.h"

ir_id fold_peel(const ir_graph *g, ir_id x)
{
    const ir_value *v = &g->values[x];
    if (v->op == IR_expand || v->op == IR_spread) return fold_peel(g, v->args[0]);
    if (v->op != IR_reshape) return x;
    ir_id inner = fold_peel(g, v->args[0]);
    return g->values[inner].rank == 0 ? inner : x;
}

bool fold_is(const ir_graph *g, ir_id x, double number)
{
    const ir_value *v = &g->values[fold_peel(g, x)];
    return v->op == IR_const && v->number == number;
}

void fold_name(ir_graph *g, ir_id v, const char *name)
{
    if (name && !g->values[v].name && g->values[v].op != IR_const) ir_set_name(g, v, name);
}

/* x, repeated until it has the kind and shape of like. */
static ir_id conform(ir_graph *g, ir_id x, const ir_value *like)
{
    if (g->values[x].rank < like->rank) {
        x = ir_value_new(g, IR_expand, 1, &x, (int32_t[]){(int32_t)ir_size(like)});
        if (like->rank == 2) x = ir_value_new(g, IR_reshape, 1, &x, like->dim);
    }
    return g->values[x].kind == like->kind ? x : ir_value_new(g, IR_spread, 1, &x, NULL);
}

ir_id fold_value(ir_graph *g, ir_op op, int32_t n_args, const ir_id *args, const int32_t *attr)
{
    ir_value like = {.op = op, .n_args = n_args, .args = (ir_id *)args};
    for (int i = 0; i < ir_attrs(op); i++) like.attr[i] = attr[i];
    if (!ir_infer(g, &like)) return IR_NONE;
    ir_id narrow = ir_ops[op].class == IR_MAP ? fold_map(g, op, n_args, args) : fold_move(g, op, n_args, args, like.attr);
    return conform(g, narrow, &like);
}

ir_graph *pass_fold(const ir_graph *g, const pass_options *options)
{
    (void)options;
    ir_graph *folded = ir_graph_new();
    ir_id *map = ir_alloc((size_t)g->n_values * sizeof *map);
    for (ir_id i = 0; i < g->n_values; i++) {
        const ir_value *v = &g->values[i];
        if (ir_ops[v->op].class == IR_LEAF) {
            map[i] = ir_copy_value(folded, v, map);
            continue;
        }
        ir_id *args = ir_alloc((size_t)v->n_args * sizeof *args);
        for (int32_t k = 0; k < v->n_args; k++) args[k] = map[v->args[k]];
        map[i] = fold_value(folded, v->op, v->n_args, args, v->attr);
        fold_name(folded, map[i], v->name);
    }
    ir_copy_outputs(folded, g, map);
    return folded;
}
