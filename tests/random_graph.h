/*
 * random_graph.h - random graphs over every op, and their evaluation at random inputs: what the IR's and the passes' tests
 * hold against each other.
 *
 * The graphs are well conditioned: a bound on |value| is kept beside each value, what grows goes through tanh, divisors and
 * arguments of log and pow are exp(tanh(x)).  What jumps (sign, comparisons, argmax, labels) looks at inputs and constants
 * only, so that rounding cannot change its mind.
 */
#ifndef LRNDE_RANDOM_GRAPH_H
#define LRNDE_RANDOM_GRAPH_H

#include <math.h>
#include <string.h>

#include "graph.h"

enum { MAX_VALUES = 1024, CLASSES = 3 };

typedef struct random_graph {
    ir_graph *g;
    uint64_t state;
    int32_t n_inputs;
    double bound[MAX_VALUES];
} random_graph;

/* splitmix64 */
static uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static double random_uniform(uint64_t *state, double low, double high)
{
    return low + (high - low) * ((double)(random_bits(state) >> 11) * 0x1p-53);
}

static int32_t random_below(uint64_t *state, int32_t n)
{
    return (int32_t)(random_bits(state) % (uint64_t)n);
}

/* Any value that passes, half the time one of the last, so that ops meet the ops that rules are about: a rank, a kind (or -1), a first dimension (or 0), inputs and constants only. */
typedef struct wanted {
    int rank, kind, dim;
    bool leaf;
} wanted;

static ir_id find(random_graph *r, wanted w)
{
    ir_id fits[MAX_VALUES];
    int32_t n = 0;
    for (ir_id i = 0; i < r->g->n_values; i++) {
        const ir_value *v = &r->g->values[i];
        if (v->rank == w.rank && (w.kind < 0 || (int)v->kind == w.kind) && (!w.dim || v->dim[0] == w.dim) &&
            (!w.leaf || i < r->n_inputs))
            fits[n++] = i;
    }
    if (!n) return IR_NONE;
    const bool recent = random_below(&r->state, 2);
    return fits[recent && n > 3 ? n - 1 - random_below(&r->state, 3) : random_below(&r->state, n)];
}

static ir_id make(random_graph *r, ir_op op, int32_t n_args, const ir_id *args, const int32_t *attr, double bound)
{
    ir_id id = ir_value_new(r->g, op, n_args, args, attr);
    if (id == IR_NONE) fail_msg("%s", ir_error());
    assert_true(id < MAX_VALUES);
    r->bound[id] = bound;
    return bound <= 8 ? id : make(r, IR_tanh, 1, &id, NULL, 1);
}

static ir_id small(random_graph *r, ir_id x)
{
    return r->bound[x] <= 1 ? x : make(r, IR_tanh, 1, &x, NULL, 1);
}

/* In [1/e, e]. */
static ir_id positive(random_graph *r, ir_id x)
{
    x = small(r, x);
    return make(r, IR_exp, 1, &x, NULL, M_E);
}

static bool has_jump(ir_op op)
{
    return op == IR_sign || op == IR_lt || op == IR_le || op == IR_eq || op == IR_argmax;
}

static bool is_smooth(ir_op op)
{
    return !has_jump(op) && op != IR_abs && op != IR_max && op != IR_min && op != IR_stop && op != IR_rowmax;
}

static double map_bound(const random_graph *r, ir_op op, const ir_id *args)
{
    double b[3] = {0};
    for (int32_t i = 0; i < ir_ops[op].arity; i++) b[i] = r->bound[args[i]];
    switch (op) {
    case IR_add:
    case IR_sub: return b[0] + b[1];
    case IR_mul: return b[0] * b[1];
    case IR_fma: return b[0] * b[1] + b[2];
    case IR_div: return b[0] * M_E;
    case IR_exp: return exp(b[0]);
    case IR_pow: return exp(5);
    case IR_max:
    case IR_min: return fmax(b[0], b[1]);
    case IR_select: return fmax(b[1], b[2]);
    default: return fmax(b[0], 1);
    }
}

static void add_map(random_graph *r, ir_op op)
{
    ir_id args[3];
    const int32_t n = ir_ops[op].arity;
    const int rank = random_below(&r->state, 8) ? random_below(&r->state, 2) : 2;
    const bool leaf = has_jump(op);
    args[0] = find(r, (wanted){rank, -1, 0, leaf || op == IR_select});
    const ir_value *first = &r->g->values[args[0]];
    for (int32_t i = 1; i < n; i++) {
        const int same = random_below(&r->state, 3) ? rank : 0;
        args[i] = find(r, (wanted){same, rank == 2 ? (int)IR_SHARED : -1, same ? first->dim[0] : 0, leaf});
        const ir_value *v = &r->g->values[args[i]];
        if (v->rank == 2 && v->dim[1] != first->dim[1]) args[i] = args[0];
    }
    if (op == IR_sqrt || op == IR_log || op == IR_log1p || op == IR_pow) args[0] = positive(r, args[0]);
    if (op == IR_exp) args[0] = small(r, args[0]);
    if (op == IR_div) args[1] = positive(r, args[1]);
    if (op == IR_pow)
        args[1] = random_below(&r->state, 2) ? small(r, args[1]) : ir_const(r->g, random_below(&r->state, 11) - 5, NULL);
    make(r, op, n, args, NULL, map_bound(r, op, args));
}

static void add_struct(random_graph *r, ir_op op)
{
    uint64_t *s = &r->state;
    ir_id x = find(r, (wanted){op == IR_expand                                         ? 0
                               : op == IR_pad || op == IR_spread || op == IR_batch_sum ? random_below(s, 2)
                                                                                       : 1,
                               op == IR_batch_sum                    ? IR_SAMPLE
                               : op == IR_spread || op == IR_reshape ? (int)IR_SHARED
                                                                     : -1,
                               0, false});
    ir_id args[3] = {x, find(r, (wanted){random_below(s, 2), -1, 0, false}), find(r, (wanted){1, -1, 0, false})};
    const int32_t n = r->g->values[x].dim[0], i = random_below(s, n);
    int32_t attr[2] = {i, 0};
    double bound = r->bound[x];
    int32_t n_args = 1;
    switch (op) {
    case IR_sum: bound *= n; break;
    case IR_batch_sum: bound *= 7; break;
    case IR_expand: attr[0] = 1 + random_below(s, 4); break;
    case IR_slice: attr[1] = 1 + random_below(s, n - i); break;
    case IR_pad: attr[1] = i + n + random_below(s, 2); break;
    case IR_reshape: memcpy(attr, (int32_t[2]){n, random_below(s, 2)}, sizeof attr); break;
    case IR_concat:
        n_args = 1 + random_below(s, 3);
        bound = 8;
        break;
    default: break;
    }
    make(r, op, n_args, args, attr, bound);
}

static void add_matrix(random_graph *r, ir_op op)
{
    if (op == IR_outer) {
        ir_id args[2] = {find(r, (wanted){1, IR_SAMPLE, 0, false}), find(r, (wanted){1, IR_SAMPLE, 0, false})};
        make(r, op, 2, args, NULL, 7 * r->bound[args[0]] * r->bound[args[1]]);
        return;
    }
    const ir_id w = find(r, (wanted){2, IR_SHARED, 0, false});
    const int32_t n = r->g->values[w].dim[op == IR_matvec];
    ir_id args[2] = {w, find(r, (wanted){1, -1, n, false})};
    if (args[1] != IR_NONE) make(r, op, 2, args, NULL, n * r->bound[args[0]] * r->bound[args[1]]);
}

static void add_lookup(random_graph *r, ir_op op)
{
    const ir_id label = 0;
    ir_id args[2] = {find(r, (wanted){op == IR_scatter ? 0 : 1, -1, op == IR_pick ? CLASSES : 0, op == IR_argmax}), label};
    make(r, op, ir_ops[op].arity, args, (int32_t[]){CLASSES}, op == IR_argmax ? 64 : r->bound[args[0]]);
}

/* lu of a matrix with a dominant diagonal, or a solution with it: a pivot that rounding decides would be a jump. */
static void add_solve(random_graph *r, ir_op op)
{
    const ir_id b = find(r, (wanted){1, IR_SAMPLE, 2 + random_below(&r->state, 2), false});
    if (b == IR_NONE) return;
    const int32_t n = r->g->values[b].dim[0];
    ir_id columns[3], three = ir_const(r->g, 3 * n, NULL);
    r->bound[three] = 3 * n;
    for (int32_t j = 0; j < n; j++) {
        ir_id column[2] = {ir_value_new(r->g, IR_pad, 1, &three, (int32_t[]){j, n}), find(r, (wanted){1, -1, n, false})};
        r->bound[column[0]] = 3 * n;
        column[1] = small(r, column[1]);
        columns[j] = ir_value_new(r->g, IR_add, 2, column, NULL);
        r->bound[columns[j]] = 3 * n + 1;
    }
    ir_id matrix = ir_value_new(r->g, IR_concat, n, columns, NULL);
    r->bound[matrix] = 3 * n + 1;
    if (r->g->values[matrix].kind == IR_SHARED) {
        matrix = ir_value_new(r->g, IR_spread, 1, &matrix, NULL);
        r->bound[matrix] = 3 * n + 1;
    }
    const ir_id factors = ir_value_new(r->g, IR_lu, 1, &matrix, NULL);
    r->bound[factors] = 3 * n + 1;
    if (op != IR_lu) make(r, op, 2, (ir_id[]){factors, b}, NULL, r->bound[b]);
}

static void add_inputs(random_graph *r)
{
    static const struct {
        const char *name;
        ir_kind kind;
        int rank;
        int32_t dims[2];
    } inputs[] = {
        {"label", IR_SAMPLE, 0, {0}},    {"s", IR_SAMPLE, 0, {0}},       {"x", IR_SAMPLE, 1, {2}},
        {"y", IR_SAMPLE, 1, {3}},        {"z", IR_SAMPLE, 1, {40}},      {"t", IR_SHARED, 0, {0}},
        {"h", IR_SHARED, 0, {0}},        {"a", IR_SHARED, 1, {2}},       {"b", IR_SHARED, 1, {3}},
        {"W[0]", IR_SHARED, 2, {3, 2}},  {"W[1]", IR_SHARED, 2, {2, 3}}, {"W[2]", IR_SHARED, 2, {40, 3}},
        {"W[3]", IR_SHARED, 2, {3, 40}},
    };
    static const double numbers[] = {0, 1, -1, 2, 0.5, 1 / 3.0};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        ir_id id = ir_input(r->g, inputs[i].name, inputs[i].kind, inputs[i].rank, inputs[i].dims);
        r->bound[id] = i ? 1 : CLASSES;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) r->bound[ir_const(r->g, numbers[i], NULL)] = 2;
    r->n_inputs = r->g->n_values;
}

/* smooth: only ops with a derivative everywhere. */
static inline ir_graph *make_random_graph(uint64_t seed, int n_ops, bool smooth)
{
    random_graph r = {.g = ir_graph_new(), .state = seed};
    add_inputs(&r);
    for (int i = 0; i < n_ops; i++) {
        const ir_op op = (ir_op)random_below(&r.state, IR_OPS);
        if (smooth && !is_smooth(op)) continue;
        switch (ir_ops[op].class) {
        case IR_LEAF: break;
        case IR_MAP: add_map(&r, op); break;
        case IR_STRUCT: add_struct(&r, op); break;
        case IR_MATRIX: add_matrix(&r, op); break;
        case IR_LOOKUP: add_lookup(&r, op); break;
        case IR_SOLVE: add_solve(&r, op); break;
        }
    }
    for (int i = 0; i < 6; i++) {
        char name[24];
        snprintf(name, sizeof name, "out[%d]", i);
        const ir_id id = i < 3 ? r.g->n_values - 1 - i : random_below(&r.state, r.g->n_values);
        ir_add_output(r.g, name, id, r.g->values[id].kind == IR_SHARED && i % 2);
    }
    return r.g;
}

/* The input of this name at this seed, whatever graph asks: real numbers in (-1, 1), moved along a random direction. */
static inline ir_array random_input(const ir_value *v, int32_t batch, uint64_t seed, double complex along)
{
    const size_t n = (size_t)(ir_size(v) * (v->kind == IR_SAMPLE ? batch : 1));
    for (const char *c = v->name; *c; c++) seed = 31 * seed + (uint64_t)*c;
    ir_array a = {.x = calloc(n, sizeof *a.x)};
    for (size_t i = 0; i < n; i++) {
        const double x = random_uniform(&seed, -1, 1), direction = random_uniform(&seed, -1, 1);
        a.x[i] = strcmp(v->name, "label") == 0 ? floor(CLASSES * (x + 1) / 2) : x + along * direction;
    }
    return a;
}

static inline ir_array *evaluate(const ir_graph *g, int32_t batch, uint64_t seed, double complex along)
{
    const int32_t n = ir_inputs(g, NULL);
    ir_id *ids = calloc((size_t)n + 1, sizeof *ids);
    ir_array *inputs = calloc((size_t)n + 1, sizeof *inputs), *outputs = calloc((size_t)g->n_outputs + 1, sizeof *outputs);
    ir_inputs(g, ids);
    for (int32_t i = 0; i < n; i++) inputs[i] = random_input(&g->values[ids[i]], batch, seed, along);
    if (!ir_eval(g, batch, 1, inputs, outputs)) fail_msg("%s", ir_error());
    for (int32_t i = 0; i < n; i++) free(inputs[i].x);
    free(inputs);
    free(ids);
    return outputs;
}

static inline void free_outputs(const ir_graph *g, ir_array *outputs)
{
    for (int32_t i = 0; i < g->n_outputs; i++) {
        free(outputs[i].x);
        free(outputs[i].terms);
    }
    free(outputs);
}

static inline int64_t output_size(const ir_graph *g, int32_t i, int32_t batch)
{
    const ir_value *v = &g->values[g->outputs[i].value];
    return ir_size(v) * (v->kind == IR_SAMPLE ? batch : 1);
}

#endif
