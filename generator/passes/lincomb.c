/*
 * lincomb.c - x * y + z becomes fma where nothing else reads the product.
 *
 * Enters a folded graph; leaves one in which a sum of products, and so every stage combination of a Runge-Kutta method, is
 * a chain of fma, one rounding and one instruction a term:
 *
 *     u + (h a21) k1 + (h a22) k2     fma(h a22, k2, fma(h a21, k1, u))
 *     z - x y                         fma(-x, y, z)       the sign on a shared factor, where it costs nothing a sample
 *     x y - z                         fma(x, y, -z)
 *
 * A product read twice stays: it would be computed twice.  Scalars shared by the batch stay: they are control, in double,
 * computed once, and their text is to be compared with a tableau.  Of two products in one sum the second is taken, so that
 * the chain grows in the order the terms were written.
 */
#include "passes/fold.h"
#include "passes/pass.h"

/* The argument of the sum v that is a product to be taken into it, or -1. */
static int product_of(const ir_graph *g, const int32_t *uses, const ir_value *v)
{
    if (v->op != IR_add && v->op != IR_sub) return -1;
    if (v->rank == 0 && v->kind == IR_SHARED) return -1;
    for (int i = 1; i >= 0; i--)
        if (g->values[v->args[i]].op == IR_mul && uses[v->args[i]] == 1) return i;
    return -1;
}

/* The negatives of old values in the new graph, each made once. */
typedef struct negatives {
    ir_graph *result;
    const ir_id *map;
    ir_id *of; /* by old value; IR_NONE: not made */
} negatives;

static ir_id negative(negatives *made, ir_id old)
{
    if (made->of[old] == IR_NONE) made->of[old] = fold_value(made->result, IR_neg, 1, &made->map[old], NULL);
    return made->of[old];
}

/* x y with the other sign: it goes to a shared factor if there is one. */
static int factor_to_negate(const ir_graph *g, const ir_value *product)
{
    return g->values[product->args[0]].kind == IR_SAMPLE && g->values[product->args[1]].kind == IR_SHARED;
}

ir_graph *pass_lincomb(const ir_graph *g, const pass_options *options)
{
    (void)options;
    const size_t n = (size_t)g->n_values;
    int32_t *uses = ir_alloc(n * sizeof *uses);
    for (ir_id i = 0; i < g->n_values; i++)
        for (int32_t k = 0; k < g->values[i].n_args; k++) uses[g->values[i].args[k]]++;
    for (int32_t i = 0; i < g->n_outputs; i++) uses[g->outputs[i].value]++;

    bool *taken = ir_alloc(n * sizeof *taken);
    for (ir_id i = 0; i < g->n_values; i++) {
        const int at = product_of(g, uses, &g->values[i]);
        if (at >= 0) taken[g->values[i].args[at]] = true;
    }

    ir_graph *result = ir_graph_new();
    ir_id *map = ir_alloc(n * sizeof *map);
    negatives made = {result, map, ir_alloc(n * sizeof *made.of)};
    for (size_t i = 0; i < n; i++) made.of[i] = IR_NONE;
    for (ir_id i = 0; i < g->n_values; i++) {
        const ir_value *v = &g->values[i];
        const int at = product_of(g, uses, v);
        if (taken[i]) continue;
        if (at < 0) {
            map[i] = ir_copy_value(result, v, map);
            if (v->op == IR_neg) made.of[v->args[0]] = map[i];
            continue;
        }
        const ir_value *product = &g->values[v->args[at]];
        ir_id args[3] = {map[product->args[0]], map[product->args[1]], map[v->args[1 - at]]};
        const int factor = factor_to_negate(g, product);
        if (v->op == IR_sub && at == 1) args[factor] = negative(&made, product->args[factor]);
        if (v->op == IR_sub && at == 0) args[2] = negative(&made, v->args[1]);
        map[i] = fold_value(result, IR_fma, 3, args, NULL);
        fold_name(result, map[i], v->name);
    }
    ir_copy_outputs(result, g, map);
    return result;
}
