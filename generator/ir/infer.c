/*
 * infer.c - which arguments an op takes, and the kind and shape of what it gives.
 *
 * The one statement of the shape rules: building a value applies them, the verifier applies them again.
 */
#include <string.h>

#include "ir/build.h"

ir_text ir_shape(const ir_value *v)
{
    ir_text t;
    switch (v->rank) {
    case 0: snprintf(t.s, sizeof t.s, "()"); break;
    case 1: snprintf(t.s, sizeof t.s, "(%d)", (int)v->dim[0]); break;
    default: snprintf(t.s, sizeof t.s, "(%d, %d)", (int)v->dim[0], (int)v->dim[1]);
    }
    return t;
}

static const char *name_of(const ir_value *v)
{
    return ir_ops[v->op].name;
}

static const ir_value *arg(const ir_graph *g, const ir_value *v, int32_t i)
{
    return &g->values[v->args[i]];
}

static bool set_shape(ir_value *v, int rank, int64_t rows, int64_t columns)
{
    if (rows < 1 || columns < 1 || rows * columns > INT32_MAX)
        return ir_fail("%s: a size of %lld is not possible", name_of(v), (long long)(rows * columns));
    v->rank = rank;
    v->dim[0] = (int32_t)rows;
    v->dim[1] = (int32_t)columns;
    return true;
}

static bool wants_rank(const ir_graph *g, const ir_value *v, int32_t i, int rank)
{
    static const char *const noun[] = {"a scalar", "a vector", "a matrix"};
    const ir_value *a = arg(g, v, i);
    return a->rank == rank ||
           ir_fail("%s: argument %d has shape %s, it must be %s", name_of(v), (int)i + 1, ir_shape(a).s, noun[rank]);
}

static bool infer_leaf(ir_value *v)
{
    if (v->op == IR_const) {
        v->kind = IR_SHARED;
        return set_shape(v, 0, 1, 1);
    }
    if (!v->name || !*v->name) return ir_fail("input: it has no name");
    if (v->kind != IR_SHARED && v->kind != IR_SAMPLE) return ir_fail("input: '%s' is neither shared nor per sample", v->name);
    if (v->rank < 0 || v->rank > IR_MAX_RANK) return ir_fail("input: '%s' has rank %d", v->name, v->rank);
    if (v->rank == 2 && v->kind == IR_SAMPLE) return ir_fail("input: '%s': a matrix cannot be per sample", v->name);
    return set_shape(v, v->rank, v->rank > 0 ? v->dim[0] : 1, v->rank > 1 ? v->dim[1] : 1);
}

static bool infer_map(const ir_graph *g, ir_value *v)
{
    const ir_value *shape = arg(g, v, 0);
    for (int32_t i = 1; i < v->n_args; i++) {
        const ir_value *a = arg(g, v, i);
        if (a->rank == 0) continue;
        if (shape->rank > 0 && (a->rank != shape->rank || memcmp(a->dim, shape->dim, sizeof a->dim) != 0))
            return ir_fail("%s: shapes %s and %s do not fit", name_of(v), ir_shape(shape).s, ir_shape(a).s);
        shape = a;
    }
    if (shape->rank == 2 && v->kind == IR_SAMPLE) return ir_fail("%s: a matrix cannot be per sample", name_of(v));
    return set_shape(v, shape->rank, shape->dim[0], shape->dim[1]);
}

static bool infer_concat(const ir_graph *g, ir_value *v)
{
    int64_t n = 0;
    for (int32_t i = 0; i < v->n_args; i++) {
        if (arg(g, v, i)->rank == 2) return ir_fail("concat: argument %d is a matrix", (int)i + 1);
        n += ir_size(arg(g, v, i));
    }
    return set_shape(v, 1, n, 1);
}

/* A part of a vector of n features: [first, first + count). */
static bool within(const ir_value *v, int64_t first, int64_t count, int64_t n)
{
    return (first >= 0 && count >= 1 && first + count <= n) ||
           ir_fail("%s: features [%lld, %lld) of %lld do not exist", name_of(v), (long long)first, (long long)(first + count),
                   (long long)n);
}

static bool infer_struct(const ir_graph *g, ir_value *v)
{
    const ir_value *a = arg(g, v, 0);
    switch (v->op) {
    case IR_sum: return wants_rank(g, v, 0, 1) && set_shape(v, 0, 1, 1);
    case IR_expand: return wants_rank(g, v, 0, 0) && set_shape(v, 1, v->attr[0], 1);
    case IR_index: return wants_rank(g, v, 0, 1) && within(v, v->attr[0], 1, a->dim[0]) && set_shape(v, 0, 1, 1);
    case IR_slice:
        return wants_rank(g, v, 0, 1) && within(v, v->attr[0], v->attr[1], a->dim[0]) && set_shape(v, 1, v->attr[1], 1);
    case IR_pad:
        if (a->rank == 2) return ir_fail("pad: the argument is a matrix");
        return within(v, v->attr[0], a->dim[0], v->attr[1]) && set_shape(v, 1, v->attr[1], 1);
    case IR_concat: return infer_concat(g, v);
    case IR_reshape:
        if (a->kind == IR_SAMPLE) return ir_fail("reshape: the argument is per sample, it must be shared");
        if (a->rank == 0) return ir_fail("reshape: the argument is a scalar");
        if (!set_shape(v, v->attr[1] ? 2 : 1, v->attr[0], v->attr[1] ? v->attr[1] : 1)) return false;
        return ir_size(v) == ir_size(a) || ir_fail("reshape: %s does not fit %s", ir_shape(a).s, ir_shape(v).s);
    case IR_batch_sum:
        if (a->kind == IR_SHARED) return ir_fail("batch_sum: the argument is shared, it must be per sample");
        v->kind = IR_SHARED;
        return set_shape(v, a->rank, a->dim[0], a->dim[1]);
    default: /* spread */
        if (a->kind == IR_SAMPLE) return ir_fail("spread: the argument is per sample, it must be shared");
        if (a->rank == 2) return ir_fail("spread: a matrix cannot be per sample");
        v->kind = IR_SAMPLE;
        return set_shape(v, a->rank, a->dim[0], a->dim[1]);
    }
}

static bool infer_outer(const ir_graph *g, ir_value *v)
{
    for (int32_t i = 0; i < 2; i++) {
        if (!wants_rank(g, v, i, 1)) return false;
        if (arg(g, v, i)->kind == IR_SHARED) return ir_fail("outer: argument %d is shared, it must be per sample", (int)i + 1);
    }
    v->kind = IR_SHARED;
    return set_shape(v, 2, arg(g, v, 0)->dim[0], arg(g, v, 1)->dim[0]);
}

static bool infer_matrix(const ir_graph *g, ir_value *v)
{
    if (v->op == IR_outer) return infer_outer(g, v);
    if (!wants_rank(g, v, 0, 2) || !wants_rank(g, v, 1, 1)) return false;
    const ir_value *w = arg(g, v, 0), *x = arg(g, v, 1);
    const bool transposed = v->op == IR_matvec_t;
    if (w->dim[!transposed] != x->dim[0])
        return ir_fail("%s: matrix %s does not fit vector %s", name_of(v), ir_shape(w).s, ir_shape(x).s);
    return set_shape(v, 1, w->dim[transposed], 1);
}

static bool infer_lookup(const ir_graph *g, ir_value *v)
{
    if (v->op != IR_scatter) {
        if (!wants_rank(g, v, 0, 1)) return false;
        return (v->op != IR_pick || wants_rank(g, v, 1, 0)) && set_shape(v, 0, 1, 1);
    }
    return wants_rank(g, v, 0, 0) && wants_rank(g, v, 1, 0) && set_shape(v, 1, v->attr[0], 1);
}

/* n of the n*n features of a matrix, or of the n*n + n of its factors; 0 if it cannot be. */
static int32_t order_of(int32_t features, int32_t more)
{
    int32_t n = 1;
    while ((int64_t)n * (n + more) < features) n++;
    return n * (n + more) == features ? n : 0;
}

static bool infer_solve(const ir_graph *g, ir_value *v)
{
    for (int32_t i = 0; i < v->n_args; i++) {
        if (!wants_rank(g, v, i, 1)) return false;
        if (arg(g, v, i)->kind == IR_SHARED)
            return ir_fail("%s: argument %d is shared, it must be per sample", name_of(v), (int)i + 1);
    }
    const ir_value *a = arg(g, v, 0);
    const int32_t n = order_of(a->dim[0], v->op == IR_lu ? 0 : 1);
    if (!n) return ir_fail("%s: %s is not a square matrix%s", name_of(v), ir_shape(a).s, v->op == IR_lu ? "" : " in factors");
    if (v->op == IR_lu) return set_shape(v, 1, (int64_t)n * (n + 1), 1);
    const ir_value *b = arg(g, v, 1);
    if (a->op == IR_lu && a->attr[0] != v->attr[0]) return ir_fail("%s: a pattern that is not that of the factors", name_of(v));
    if (b->dim[0] != n) return ir_fail("%s: %d equations do not fit vector %s", name_of(v), (int)n, ir_shape(b).s);
    return set_shape(v, 1, n, 1);
}

bool ir_infer(const ir_graph *g, ir_value *v)
{
    const ir_op_info *info = &ir_ops[v->op];
    if (info->arity >= 0 ? v->n_args != info->arity : v->n_args < 1)
        return ir_fail("%s: %d arguments given, it takes %s%d", info->name, (int)v->n_args, info->arity < 0 ? "at least " : "",
                       info->arity < 0 ? 1 : info->arity);
    if (info->class == IR_LEAF) return infer_leaf(v);
    v->kind = IR_SHARED;
    for (int32_t i = 0; i < v->n_args; i++) {
        if (v->args[i] < 0 || v->args[i] >= g->n_values) return ir_fail("%s: there is no value %d", info->name, (int)v->args[i]);
        if (arg(g, v, i)->kind == IR_SAMPLE) v->kind = IR_SAMPLE;
    }
    switch (info->class) {
    case IR_MAP: return infer_map(g, v);
    case IR_STRUCT: return infer_struct(g, v);
    case IR_MATRIX: return infer_matrix(g, v);
    case IR_SOLVE: return infer_solve(g, v);
    default: return infer_lookup(g, v);
    }
}
