/*
 * fold_map.c - the algebra of fold: elementwise ops, on arguments whose repetitions are peeled off.
 *
 * One function an op that has rules, in the order of ops.def; IR_NONE where none applies.  A negation moves towards the
 * place where it vanishes: into a constant, a difference, or another negation.
 */
#include <math.h>
#include <stdlib.h>

#include "passes/fold.h"

static ir_id op1(ir_graph *g, ir_op op, ir_id a)
{
    return fold_map(g, op, 1, &a);
}

static ir_id op2(ir_graph *g, ir_op op, ir_id a, ir_id b)
{
    return fold_map(g, op, 2, (ir_id[]){a, b});
}

static bool is_const(const ir_graph *g, ir_id x)
{
    return g->values[x].op == IR_const;
}

/* Argument i of x if x is that op, else IR_NONE. */
static ir_id argument(const ir_graph *g, ir_id x, ir_op op, int i)
{
    return g->values[x].op == op ? g->values[x].args[i] : IR_NONE;
}

static ir_id negated(const ir_graph *g, ir_id x)
{
    return argument(g, x, IR_neg, 0);
}

static ir_id fold_add(ir_graph *g, const ir_id *x)
{
    for (int i = 0; i < 2; i++)
        if (fold_is(g, x[i], 0)) return x[1 - i];
    for (int i = 0; i < 2; i++)
        if (negated(g, x[i]) != IR_NONE) return op2(g, IR_sub, x[1 - i], negated(g, x[i]));
    return IR_NONE;
}

static ir_id fold_sub(ir_graph *g, const ir_id *x)
{
    if (fold_is(g, x[1], 0)) return x[0];
    if (fold_is(g, x[0], 0)) return op1(g, IR_neg, x[1]);
    if (negated(g, x[1]) != IR_NONE) return op2(g, IR_add, x[0], negated(g, x[1]));
    return IR_NONE;
}

static ir_id fold_mul(ir_graph *g, const ir_id *x)
{
    for (int i = 0; i < 2; i++) {
        const ir_id y = x[i], other = x[1 - i];
        if (fold_is(g, y, 0)) return y;
        if (fold_is(g, y, 1)) return other;
        if (fold_is(g, y, -1)) return op1(g, IR_neg, other);
        if (is_const(g, y) && negated(g, other) != IR_NONE) return op2(g, IR_mul, op1(g, IR_neg, y), negated(g, other));
    }
    if (negated(g, x[0]) != IR_NONE && negated(g, x[1]) != IR_NONE) return op2(g, IR_mul, negated(g, x[0]), negated(g, x[1]));
    return IR_NONE;
}

/* 1 / y has no rounding error: y is a power of two. */
static bool reciprocal_is_exact(double y)
{
    int exponent;
    return fabs(frexp(y, &exponent)) == 0.5 && isnormal(1 / y);
}

static ir_id fold_div(ir_graph *g, const ir_id *x)
{
    if (fold_is(g, x[0], 0)) return x[0];
    if (is_const(g, x[1]) && reciprocal_is_exact(g->values[x[1]].number))
        return op2(g, IR_mul, x[0], ir_const(g, 1 / g->values[x[1]].number, NULL));
    if (negated(g, x[0]) != IR_NONE && negated(g, x[1]) != IR_NONE) return op2(g, IR_div, negated(g, x[0]), negated(g, x[1]));
    return IR_NONE;
}

static ir_id fold_neg(ir_graph *g, ir_id x)
{
    if (negated(g, x) != IR_NONE) return negated(g, x);
    const ir_id a = argument(g, x, IR_sub, 0), b = argument(g, x, IR_sub, 1);
    if (a != IR_NONE) return op2(g, IR_sub, b, a);
    for (int i = 0; i < 2 && g->values[x].op == IR_mul; i++) {
        const ir_id factor = argument(g, x, IR_mul, i), other = argument(g, x, IR_mul, 1 - i);
        if (is_const(g, factor) || negated(g, factor) != IR_NONE) return op2(g, IR_mul, op1(g, IR_neg, factor), other);
    }
    return IR_NONE;
}

static ir_id fold_fma(ir_graph *g, const ir_id *x)
{
    for (int i = 0; i < 2; i++) {
        if (fold_is(g, x[i], 0)) return x[2];
        if (fold_is(g, x[i], 1)) return op2(g, IR_add, x[1 - i], x[2]);
    }
    return fold_is(g, x[2], 0) ? op2(g, IR_mul, x[0], x[1]) : IR_NONE;
}

/* The products of ir_apply's power, so that both round alike. */
static ir_id power(ir_graph *g, ir_id x, int n)
{
    if (n == 0) return ir_const(g, 1, NULL);
    const ir_id half = power(g, x, n / 2), square = op2(g, IR_mul, half, half);
    return n % 2 ? op2(g, IR_mul, square, x) : square;
}

static ir_id fold_pow(ir_graph *g, const ir_id *x)
{
    const double y = g->values[x[1]].number;
    if (!is_const(g, x[1])) return IR_NONE;
    if (y == 0.5) return op1(g, IR_sqrt, x[0]);
    if (fabs(y) > 16 || y != trunc(y)) return IR_NONE;
    const ir_id p = power(g, x[0], abs((int)y));
    return y < 0 ? op2(g, IR_div, ir_const(g, 1, NULL), p) : p;
}

static ir_id fold_select(ir_graph *g, const ir_id *x)
{
    if (is_const(g, x[0])) return g->values[x[0]].number != 0 ? x[1] : x[2];
    return x[1] == x[2] ? x[1] : IR_NONE;
}

static ir_id algebra(ir_graph *g, ir_op op, const ir_id *x)
{
    switch (op) {
    case IR_add: return fold_add(g, x);
    case IR_sub: return fold_sub(g, x);
    case IR_mul: return fold_mul(g, x);
    case IR_div: return fold_div(g, x);
    case IR_neg: return fold_neg(g, x[0]);
    case IR_fma: return fold_fma(g, x);
    case IR_pow: return fold_pow(g, x);
    case IR_max:
    case IR_min: return x[0] == x[1] ? x[0] : IR_NONE;
    case IR_select: return fold_select(g, x);
    default: return IR_NONE;
    }
}

/*
 * The number op makes of constants; IR_NONE if it is none that a program can be given, which is then left to its run time.
 * A negated coefficient keeps the text it came from.
 */
static ir_id computed(ir_graph *g, ir_op op, const ir_id *x, const double *numbers)
{
    if (!isfinite(ir_apply(op, numbers))) return IR_NONE;
    const char *note = g->values[x[0]].note;
    const bool keep = op == IR_neg && note;
    return ir_const(g, ir_apply(op, numbers), !keep ? NULL : note[0] == '-' ? note + 1 : ir_format("-%s", note));
}

ir_id fold_map(ir_graph *g, ir_op op, int32_t n_args, const ir_id *args)
{
    ir_id x[3];
    double numbers[3];
    bool all_const = true;
    for (int32_t i = 0; i < n_args; i++) {
        x[i] = fold_peel(g, args[i]);
        numbers[i] = g->values[x[i]].number;
        all_const = all_const && is_const(g, x[i]);
    }
    const ir_id simpler = all_const ? computed(g, op, x, numbers) : algebra(g, op, x);
    return simpler != IR_NONE ? simpler : ir_value_new(g, op, n_args, x, NULL);
}
