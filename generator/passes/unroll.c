/*
 * unroll.c - short vectors become scalars while the statement budget lasts.
 *
 * Enters a folded graph; leaves one in which the elementwise work on per-sample vectors of at most unroll_width features is
 * done on scalars, so that an equation in two unknowns is emitted as two formulas and not as loops to 2.  Moves between
 * such vectors vanish: a scalar is used where its value is, only a product with a matrix, a lookup or an output still needs
 * an array, which a concat makes.  Matrices are never unrolled.  A shared vector is taken apart only if nothing reads it
 * whole; a sum over it does, because such sums belong to the shared phase of a kernel.  If the result has more than
 * unroll_budget values that compute something, the graph stays as it was, all or none: half an unrolled graph has both the
 * loops and the gathers.
 *
 *     %2 = mul %0 %1 : sample (2)             %2 = index %0 [0]       %5 = index %0 [1]
 *     output du = %2                          %3 = index %1 [0]       %6 = index %1 [1]
 *                                     ->      %4 = mul %2 %3          %7 = mul %5 %6
 *                                             %8 = concat %4 %7
 *                                             output du = %8
 *
 * Every value of the old graph has a form in the new one: whole, or its features one by one; the other is made from it when
 * first asked for.
 */
#include "passes/fold.h"
#include "passes/pass.h"

typedef struct unroller {
    const ir_graph *g;
    ir_graph *result;
    int32_t width;
    bool *apart;     /* by old value: this vector is computed feature by feature */
    ir_id *whole;    /* by old value; IR_NONE: not made */
    ir_id **feature; /* by old value, then feature; NULL, IR_NONE: not made */
} unroller;

static bool is_short(const unroller *u, ir_id id)
{
    const ir_value *v = &u->g->values[id];
    return v->rank == 1 && v->dim[0] <= u->width;
}

/* Each feature of the result is a formula of features of the arguments. */
static bool works_by_feature(ir_op op)
{
    switch (op) {
    case IR_expand:
    case IR_slice:
    case IR_pad:
    case IR_concat:
    case IR_spread: return true;
    default: return ir_ops[op].class == IR_MAP;
    }
}

/* v asks for features of its arguments, not for arrays. */
static bool reads_features(const unroller *u, ir_id id)
{
    const ir_value *v = &u->g->values[id];
    const bool by_feature = v->op == IR_index || (v->op == IR_sum && v->kind == IR_SAMPLE);
    return u->apart[id] || (by_feature && is_short(u, v->args[0]));
}

/* Against the order of computation, so that all users of a value are known when it is decided. */
static void choose(unroller *u)
{
    bool *read_whole = ir_alloc((size_t)u->g->n_values * sizeof *read_whole);
    for (int32_t i = 0; i < u->g->n_outputs; i++) read_whole[u->g->outputs[i].value] = true;
    for (ir_id id = u->g->n_values - 1; id >= 0; id--) {
        const ir_value *v = &u->g->values[id];
        u->apart[id] = works_by_feature(v->op) && is_short(u, id) && (v->kind == IR_SAMPLE || !read_whole[id]);
        for (int32_t k = 0; k < v->n_args && !reads_features(u, id); k++) read_whole[v->args[k]] = true;
    }
}

static ir_id *features(unroller *u, ir_id id)
{
    const int64_t n = ir_size(&u->g->values[id]);
    if (u->feature[id]) return u->feature[id];
    u->feature[id] = ir_alloc((size_t)n * sizeof(ir_id));
    for (int64_t i = 0; i < n; i++) u->feature[id][i] = IR_NONE;
    return u->feature[id];
}

static void name_feature(unroller *u, ir_id id, int32_t i)
{
    const ir_value *v = &u->g->values[id];
    if (v->name && v->op != IR_input) fold_name(u->result, features(u, id)[i], ir_format("%s_%d", v->name, (int)i));
}

static ir_id whole(unroller *u, ir_id id)
{
    if (u->whole[id] == IR_NONE) {
        u->whole[id] = fold_value(u->result, IR_concat, u->g->values[id].dim[0], u->feature[id], NULL);
        fold_name(u->result, u->whole[id], u->g->values[id].name);
    }
    return u->whole[id];
}

/* Feature i of a vector; a scalar is the same in every feature. */
static ir_id feature(unroller *u, ir_id id, int32_t i)
{
    if (u->g->values[id].rank == 0) return u->whole[id];
    ir_id *made = &features(u, id)[i];
    if (*made == IR_NONE) {
        *made = fold_value(u->result, IR_index, 1, &u->whole[id], &i);
        name_feature(u, id, i);
    }
    return *made;
}

static ir_id feature_of_map(unroller *u, const ir_value *v, int32_t i)
{
    ir_id args[3];
    for (int32_t k = 0; k < v->n_args; k++) args[k] = feature(u, v->args[k], i);
    return fold_value(u->result, v->op, v->n_args, args, NULL);
}

static ir_id feature_of_concat(unroller *u, const ir_value *v, int32_t i)
{
    int32_t k = 0;
    for (; i >= ir_size(&u->g->values[v->args[k]]); k++) i -= (int32_t)ir_size(&u->g->values[v->args[k]]);
    return feature(u, v->args[k], i);
}

static ir_id feature_of_pad(unroller *u, const ir_value *v, int32_t i)
{
    const int32_t at = i - v->attr[0];
    const bool inside = at >= 0 && at < ir_size(&u->g->values[v->args[0]]);
    return inside ? feature(u, v->args[0], at) : ir_const(u->result, 0, NULL);
}

static ir_id compute_feature(unroller *u, const ir_value *v, int32_t i)
{
    switch (v->op) {
    case IR_expand:
    case IR_spread: return feature(u, v->args[0], i);
    case IR_slice: return feature(u, v->args[0], i + v->attr[0]);
    case IR_pad: return feature_of_pad(u, v, i);
    case IR_concat: return feature_of_concat(u, v, i);
    default: return feature_of_map(u, v, i);
    }
}

static void compute_features(unroller *u, ir_id id)
{
    const ir_value *v = &u->g->values[id];
    for (int32_t i = 0; i < v->dim[0]; i++) {
        ir_id x = compute_feature(u, v, i);
        const bool spread = u->result->values[x].kind != v->kind;
        features(u, id)[i] = spread ? fold_value(u->result, IR_spread, 1, &x, NULL) : x;
        name_feature(u, id, i);
    }
}

/* The scalar v of a short vector: one feature, or all of them added in their order. */
static ir_id compute_scalar(unroller *u, const ir_value *v)
{
    const ir_id x = v->args[0];
    if (v->op == IR_index) return feature(u, x, v->attr[0]);
    ir_id sum = feature(u, x, 0);
    for (int32_t i = 1; i < u->g->values[x].dim[0]; i++)
        sum = fold_value(u->result, IR_add, 2, (ir_id[]){sum, feature(u, x, i)}, NULL);
    return sum;
}

static ir_graph *unroll(const ir_graph *g, int32_t width)
{
    const size_t n = (size_t)g->n_values;
    unroller u = {
        g, ir_graph_new(), width, ir_alloc(n * sizeof(bool)), ir_alloc(n * sizeof(ir_id)), ir_alloc(n * sizeof(ir_id *))};
    choose(&u);
    for (ir_id id = 0; id < g->n_values; id++) {
        const ir_value *v = &g->values[id];
        u.whole[id] = IR_NONE;
        if (u.apart[id]) {
            compute_features(&u, id);
        } else if (reads_features(&u, id)) {
            u.whole[id] = compute_scalar(&u, v);
            fold_name(u.result, u.whole[id], v->name);
        } else {
            for (int32_t k = 0; k < v->n_args; k++) whole(&u, v->args[k]);
            u.whole[id] = ir_copy_value(u.result, v, u.whole);
        }
    }
    for (int32_t i = 0; i < g->n_outputs; i++) whole(&u, g->outputs[i].value);
    ir_copy_outputs(u.result, g, u.whole);
    return u.result;
}

/* How many values the outputs need that are more than a name for something. */
static int64_t statements(const ir_graph *g)
{
    const ir_graph *live = ir_extract(g, 0, NULL, NULL);
    int64_t n = 0;
    for (ir_id i = 0; i < live->n_values; i++) n += ir_ops[live->values[i].op].class != IR_LEAF;
    return n;
}

ir_graph *pass_unroll(const ir_graph *g, const pass_options *options)
{
    ir_graph *scalars = unroll(g, options->unroll_width);
    return statements(scalars) <= options->unroll_budget ? scalars : unroll(g, 0);
}
