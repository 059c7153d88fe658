/*
 * fold_move.c - the other half of fold: ops that move, add up or look up elements.
 *
 * A move of a move is one move, or none: whatever is read is read from where it was made.  What repeats one number is never
 * gathered, summed or multiplied element by element.  But what sums up a vector that is the same for every sample stays with
 * the samples: backends have one place for sums over features, and it is there.
 */
#include <string.h>

#include "passes/fold.h"

static ir_id new1(ir_graph *g, ir_op op, ir_id x, int32_t a, int32_t b)
{
    return ir_value_new(g, op, 1, &x, (int32_t[]){a, b});
}

static ir_id zero(ir_graph *g)
{
    return ir_const(g, 0, NULL);
}

static ir_id zero_vector(ir_graph *g, int32_t n)
{
    return new1(g, IR_expand, zero(g), n, 0);
}

/* The features [first, first + n) of the vector x.  Below, a scalar stands for its one feature. */
typedef struct part {
    ir_id x;
    int32_t first, n;
} part;

static int32_t features(const ir_graph *g, ir_id x)
{
    return (int32_t)ir_size(&g->values[x]);
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* x as a range of the vector it was cut from. */
static part source(const ir_graph *g, ir_id x)
{
    const ir_value *v = &g->values[x];
    if (v->op == IR_index) return (part){v->args[0], v->attr[0], 1};
    if (v->op == IR_slice) return (part){v->args[0], v->attr[0], v->attr[1]};
    return (part){x, 0, features(g, x)};
}

static ir_id slice(ir_graph *g, ir_id x, int32_t first, int32_t n);

static ir_id pad(ir_graph *g, ir_id x, int32_t offset, int32_t n)
{
    const ir_value *v = &g->values[x];
    if (fold_is(g, x, 0)) return zero_vector(g, n);
    if (v->rank == 1 && v->dim[0] == n) return x;
    if (v->rank == 0 && n == 1) return new1(g, IR_expand, x, 1, 0);
    if (v->op == IR_pad) return pad(g, v->args[0], offset + v->attr[0], n);
    return new1(g, IR_pad, x, offset, n);
}

/* The arguments with those that are concats themselves replaced by theirs. */
static ir_id *flatten(ir_graph *g, int32_t *n_args, const ir_id *args)
{
    int32_t n = 0;
    for (int32_t i = 0; i < *n_args; i++) n += g->values[args[i]].op == IR_concat ? g->values[args[i]].n_args : 1;
    ir_id *flat = ir_alloc((size_t)n * sizeof *flat), *to = flat;
    for (int32_t i = 0; i < *n_args; i++) {
        const ir_value *v = &g->values[args[i]];
        if (v->op != IR_concat) *to++ = args[i];
        for (int32_t k = 0; v->op == IR_concat && k < v->n_args; k++) *to++ = v->args[k];
    }
    *n_args = n;
    return flat;
}

/* Neighbours cut from one vector are one cut of it. */
static ir_id concat(ir_graph *g, int32_t n_args, const ir_id *args)
{
    args = flatten(g, &n_args, args);
    const part whole = source(g, args[0]);
    int32_t end = whole.first + whole.n, i = 1;
    for (; i < n_args; i++) {
        const part next = source(g, args[i]);
        if (next.x != whole.x || next.first != end) break;
        end += next.n;
    }
    if (i == n_args && g->values[whole.x].rank == 1) return slice(g, whole.x, whole.first, end - whole.first);
    const ir_value *only = &g->values[args[0]];
    const bool total = only->kind == IR_SHARED && only->op != IR_const; /* over the batch: kernels keep it as a vector */
    if (n_args == 1 && !total) return new1(g, IR_expand, args[0], 1, 0);
    return ir_value_new(g, IR_concat, n_args, args, NULL);
}

static ir_id slice_concat(ir_graph *g, const ir_value *v, int32_t first, int32_t n)
{
    ir_id *pieces = ir_alloc((size_t)v->n_args * sizeof *pieces);
    int32_t n_pieces = 0, offset = 0;
    for (int32_t k = 0; k < v->n_args; k++) {
        const int32_t size = features(g, v->args[k]);
        const int32_t from = larger(first - offset, 0), to = smaller(first + n - offset, size);
        if (from < to) pieces[n_pieces++] = slice(g, v->args[k], from, to - from);
        offset += size;
    }
    return concat(g, n_pieces, pieces);
}

static ir_id slice_pad(ir_graph *g, const ir_value *v, int32_t first, int32_t n)
{
    const int32_t offset = v->attr[0], end = offset + features(g, v->args[0]);
    const int32_t from = larger(first, offset), to = smaller(first + n, end);
    if (from >= to) return zero_vector(g, n);
    return pad(g, slice(g, v->args[0], from - offset, to - from), from - first, n);
}

static ir_id slice(ir_graph *g, ir_id x, int32_t first, int32_t n)
{
    const ir_value *v = &g->values[x];
    if (n == features(g, x)) return x;
    switch (v->op) {
    case IR_expand: return new1(g, IR_expand, v->args[0], n, 0);
    case IR_spread: return slice(g, v->args[0], first, n);
    case IR_slice: return slice(g, v->args[0], first + v->attr[0], n);
    case IR_concat: return slice_concat(g, v, first, n);
    case IR_pad: return slice_pad(g, v, first, n);
    default: return new1(g, IR_slice, x, first, n);
    }
}

static ir_id index_of(ir_graph *g, ir_id x, int32_t i);

/* Feature i of an elementwise op on vectors that all samples share: the op on their features. */
static ir_id index_map(ir_graph *g, const ir_value *v, int32_t i)
{
    ir_id args[3];
    const ir_op op = v->op;
    const int32_t n = v->n_args;
    memcpy(args, v->args, (size_t)n * sizeof *args);
    for (int32_t k = 0; k < n; k++) args[k] = index_of(g, args[k], i);
    return fold_map(g, op, n, args);
}

static ir_id index_of(ir_graph *g, ir_id x, int32_t i)
{
    const ir_value *v = &g->values[x];
    if (v->rank == 0) return x;
    if (v->kind == IR_SHARED && ir_ops[v->op].class == IR_MAP) return index_map(g, v, i);
    switch (v->op) {
    case IR_expand: return v->args[0];
    case IR_spread: return index_of(g, v->args[0], i);
    case IR_slice: return index_of(g, v->args[0], i + v->attr[0]);
    case IR_pad: i -= v->attr[0]; return i >= 0 && i < features(g, v->args[0]) ? index_of(g, v->args[0], i) : zero(g);
    case IR_concat: {
        int32_t k = 0;
        for (; i >= features(g, v->args[k]); k++) i -= features(g, v->args[k]);
        return index_of(g, v->args[k], i);
    }
    default: return new1(g, IR_index, x, i, 0);
    }
}

static ir_id sum(ir_graph *g, ir_id x)
{
    const ir_value *v = &g->values[x];
    const int32_t n = features(g, x);
    if (fold_is(g, x, 0)) return zero(g);
    if (v->kind == IR_SHARED) return ir_value_new(g, IR_sum, 1, &x, NULL); /* of the shared phase of a kernel */
    if (n == 1) return index_of(g, x, 0);
    switch (v->op) {
    case IR_expand: return fold_map(g, IR_mul, 2, (ir_id[]){ir_const(g, n, NULL), v->args[0]});
    case IR_pad: return sum(g, v->args[0]);
    default: return ir_value_new(g, IR_sum, 1, &x, NULL);
    }
}

/* Linear in every argument that is not a label, so that no work is left if one is zero. */
static bool is_zero(const ir_graph *g, ir_op op, const ir_id *x)
{
    switch (op) {
    case IR_batch_sum:
    case IR_scatter: return fold_is(g, x[0], 0);
    case IR_matvec:
    case IR_matvec_t:
    case IR_outer: return fold_is(g, x[0], 0) || fold_is(g, x[1], 0);
    default: return false;
    }
}

ir_id fold_move(ir_graph *g, ir_op op, int32_t n_args, const ir_id *args, const int32_t *attr)
{
    const ir_value *v = &g->values[args[0]];
    if (is_zero(g, op, args)) return zero(g);
    switch (op) {
    case IR_sum: return sum(g, args[0]);
    case IR_index: return index_of(g, args[0], attr[0]);
    case IR_slice: return slice(g, args[0], attr[0], attr[1]);
    case IR_pad: return pad(g, args[0], attr[0], attr[1]);
    case IR_concat: return concat(g, n_args, args);
    case IR_reshape:
        if (v->op == IR_reshape) return fold_move(g, op, 1, v->args, attr);
        if (v->rank == (attr[1] ? 2 : 1) && v->dim[0] == attr[0]) return args[0];
        break;
    case IR_pick:
    case IR_rowmax:
        if (g->values[fold_peel(g, args[0])].rank == 0) return fold_peel(g, args[0]);
        break;
    default: break;
    }
    return ir_value_new(g, op, n_args, args, attr);
}
