/*
 * eval.c - the reference evaluator: what a graph means.
 *
 * Values in order of number, plain loops, nothing shared or reused: the oracle for passes, backends and derivatives is to
 * be seen to be right.  Everything is double complex; where all imaginary parts are 0 the real functions are used, so that
 * real inputs give exactly the results of double arithmetic and the real libm.  Beside each number goes the sum of the
 * |terms| it was made of (apply.c states the rule).
 *
 * The arrays of the outputs are the caller's, to free() one by one.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/build.h"

typedef struct number {
    double complex x;
    double terms;
} number;

typedef struct evaluation {
    const ir_graph *g;
    int32_t batch, copies;
    number **of; /* by value: (batch, size) if per sample, else (size) */
} evaluation;

static int64_t count(const evaluation *e, const ir_value *v)
{
    return ir_size(v) * (v->kind == IR_SAMPLE ? e->batch : 1);
}

/* The row of sample b: a shared value has one row for all. */
static number *row(const evaluation *e, ir_id id, int32_t b)
{
    const ir_value *v = &e->g->values[id];
    return e->of[id] + (v->kind == IR_SAMPLE ? b * ir_size(v) : 0);
}

static number product(number a, number b)
{
    bool real = cimag(a.x) == 0 && cimag(b.x) == 0;
    return (number){.x = real ? creal(a.x) * creal(b.x) : a.x * b.x,
                    .terms = ir_product_terms(creal(a.x), a.terms, creal(b.x), b.terms)};
}

static void add_to(number *sum, number a)
{
    sum->x += a.x;
    sum->terms += a.terms;
}

/* A sum over the samples as one over all their copies. */
static void copy_samples(const evaluation *e, number *sum, int64_t n)
{
    for (int64_t i = 0; i < n; i++) sum[i] = (number){sum[i].x * e->copies, sum[i].terms * e->copies};
}

static number map(ir_op op, int32_t n, const number *args)
{
    double x[3], terms[3];
    double complex z[3];
    bool real = true;
    for (int32_t i = 0; i < n; i++) {
        z[i] = args[i].x;
        x[i] = creal(z[i]);
        terms[i] = args[i].terms;
        real = real && cimag(z[i]) == 0;
    }
    number r = {.x = real ? ir_apply(op, x) : ir_apply_complex(op, z)};
    r.terms = ir_apply_terms(op, x, terms, creal(r.x));
    return r;
}

static void eval_map(const evaluation *e, const ir_value *v, int32_t b, number *out)
{
    for (int64_t i = 0; i < ir_size(v); i++) {
        number args[3];
        for (int32_t k = 0; k < v->n_args; k++) args[k] = row(e, v->args[k], b)[e->g->values[v->args[k]].rank ? i : 0];
        out[i] = map(v->op, v->n_args, args);
    }
}

static void eval_struct(const evaluation *e, const ir_value *v, int32_t b, number *out)
{
    const ir_value *a = &e->g->values[v->args[0]];
    const number *x = row(e, v->args[0], b);
    const int64_t n = ir_size(v), n_arg = ir_size(a);
    switch (v->op) {
    case IR_sum:
        for (int64_t i = 0; i < n_arg; i++) add_to(out, x[i]);
        break;
    case IR_expand:
        for (int64_t i = 0; i < n; i++) out[i] = *x;
        break;
    case IR_index:
    case IR_slice: memcpy(out, x + v->attr[0], (size_t)n * sizeof *x); break;
    case IR_pad: memcpy(out + v->attr[0], x, (size_t)n_arg * sizeof *x); break;
    case IR_concat:
        for (int32_t k = 0; k < v->n_args; k++) {
            int64_t part = ir_size(&e->g->values[v->args[k]]);
            memcpy(out, row(e, v->args[k], b), (size_t)part * sizeof *out);
            out += part;
        }
        break;
    case IR_batch_sum:
        for (int32_t s = 0; s < e->batch; s++)
            for (int64_t i = 0; i < n; i++) add_to(&out[i], row(e, v->args[0], s)[i]);
        copy_samples(e, out, n);
        break;
    default: memcpy(out, x, (size_t)n * sizeof *x); /* reshape, spread */
    }
}

static void eval_matrix(const evaluation *e, const ir_value *v, int32_t b, number *out)
{
    if (v->op == IR_outer) {
        for (int32_t s = 0; s < e->batch; s++)
            for (int32_t r = 0; r < v->dim[0]; r++)
                for (int32_t c = 0; c < v->dim[1]; c++)
                    add_to(&out[r * v->dim[1] + c], product(row(e, v->args[0], s)[r], row(e, v->args[1], s)[c]));
        copy_samples(e, out, ir_size(v));
        return;
    }
    const ir_value *w = &e->g->values[v->args[0]];
    const number *matrix = e->of[v->args[0]], *x = row(e, v->args[1], b);
    const bool transposed = v->op == IR_matvec_t;
    for (int32_t r = 0; r < w->dim[0]; r++)
        for (int32_t c = 0; c < w->dim[1]; c++) add_to(&out[transposed ? c : r], product(*matrix++, x[transposed ? r : c]));
}

static bool eval_lookup(const evaluation *e, const ir_value *v, int32_t b, number *out)
{
    const number *x = row(e, v->args[0], b);
    const int64_t n = v->op == IR_scatter ? ir_size(v) : ir_size(&e->g->values[v->args[0]]);
    if (v->n_args == 2) {
        double label = creal(row(e, v->args[1], b)->x);
        if (!(label >= 0 && label < (double)n))
            return ir_fail("%s: label %g of sample %d is not one of 0 .. %lld", ir_ops[v->op].name, label, (int)b,
                           (long long)n - 1);
        if (v->op == IR_pick)
            *out = x[(int64_t)label];
        else
            out[(int64_t)label] = *x;
        return true;
    }
    int64_t largest = 0;
    double terms = 0;
    for (int64_t i = 0; i < n; i++) {
        if (creal(x[i].x) > creal(x[largest].x)) largest = i;
        terms = fmax(terms, x[i].terms);
    }
    *out = v->op == IR_rowmax ? (number){creal(x[largest].x), terms} : (number){(double)largest, (double)largest};
    return true;
}

static number minus_product(number a, number x, number y)
{
    return map(IR_sub, 2, (number[]){a, product(x, y)});
}

static number quotient(number a, number b)
{
    return map(IR_div, 2, (number[]){a, b});
}

static void exchange(number *a, number *b)
{
    const number kept = *a;
    *a = *b;
    *b = kept;
}

/* P M = L U in place, column j at m + j * n; the pivot is the largest by its real part, the first of equals. */
static void factorise(int32_t n, number *m)
{
    for (int32_t k = 0; k < n; k++) {
        int32_t pivot = k;
        for (int32_t i = k + 1; i < n; i++)
            if (fabs(creal(m[k * n + i].x)) > fabs(creal(m[k * n + pivot].x))) pivot = i;
        m[n * n + k] = (number){pivot, pivot};
        for (int32_t j = 0; j < n; j++) exchange(&m[j * n + k], &m[j * n + pivot]);
        for (int32_t i = k + 1; i < n; i++) m[k * n + i] = quotient(m[k * n + i], m[k * n + k]);
        for (int32_t j = k + 1; j < n; j++)
            for (int32_t i = k + 1; i < n; i++) m[j * n + i] = minus_product(m[j * n + i], m[k * n + i], m[j * n + k]);
    }
}

/* M^-1 x in place. */
static void substitute(int32_t n, const number *f, number *x)
{
    for (int32_t k = 0; k < n; k++) exchange(&x[k], &x[(int32_t)creal(f[n * n + k].x)]);
    for (int32_t k = 0; k < n; k++)
        for (int32_t i = k + 1; i < n; i++) x[i] = minus_product(x[i], f[k * n + i], x[k]);
    for (int32_t k = n - 1; k >= 0; k--) {
        x[k] = quotient(x[k], f[k * n + k]);
        for (int32_t i = 0; i < k; i++) x[i] = minus_product(x[i], f[k * n + i], x[k]);
    }
}

/* M^-T x in place: the same steps transposed, in the opposite order. */
static void substitute_transposed(int32_t n, const number *f, number *x)
{
    for (int32_t k = 0; k < n; k++) {
        for (int32_t i = 0; i < k; i++) x[k] = minus_product(x[k], f[k * n + i], x[i]);
        x[k] = quotient(x[k], f[k * n + k]);
    }
    for (int32_t k = n - 1; k >= 0; k--)
        for (int32_t i = k + 1; i < n; i++) x[k] = minus_product(x[k], f[k * n + i], x[i]);
    for (int32_t k = n - 1; k >= 0; k--) exchange(&x[k], &x[(int32_t)creal(f[n * n + k].x)]);
}

static void eval_solve(const evaluation *e, const ir_value *v, int32_t b, number *out)
{
    const ir_id last = v->args[v->n_args - 1];
    const int64_t n_arg = ir_size(&e->g->values[last]);
    memcpy(out, row(e, last, b), (size_t)n_arg * sizeof *out);
    if (v->op == IR_lu)
        factorise((int32_t)(ir_size(v) - n_arg), out);
    else
        (v->op == IR_lu_solve ? substitute : substitute_transposed)(v->dim[0], row(e, v->args[0], b), out);
}

static bool eval_value(const evaluation *e, ir_id id)
{
    const ir_value *v = &e->g->values[id];
    for (int32_t b = 0; b < (v->kind == IR_SAMPLE ? e->batch : 1); b++) {
        number *out = row(e, id, b);
        switch (ir_ops[v->op].class) {
        case IR_LEAF: *out = (number){v->number, fabs(v->number)}; break;
        case IR_MAP: eval_map(e, v, b, out); break;
        case IR_STRUCT: eval_struct(e, v, b, out); break;
        case IR_MATRIX: eval_matrix(e, v, b, out); break;
        case IR_SOLVE: eval_solve(e, v, b, out); break;
        case IR_LOOKUP:
            if (!eval_lookup(e, v, b, out)) return false;
        }
    }
    return true;
}

static void read_input(const evaluation *e, ir_id id, const ir_array *input)
{
    for (int64_t i = 0; i < count(e, &e->g->values[id]); i++) e->of[id][i] = (number){input->x[i], fabs(creal(input->x[i]))};
}

static void write_output(const evaluation *e, ir_id id, ir_array *output)
{
    const int64_t n = count(e, &e->g->values[id]);
    output->x = calloc((size_t)n, sizeof *output->x);
    output->terms = calloc((size_t)n, sizeof *output->terms);
    for (int64_t i = 0; i < n; i++) {
        output->x[i] = e->of[id][i].x;
        output->terms[i] = e->of[id][i].terms;
    }
}

bool ir_eval(const ir_graph *g, int32_t batch, int32_t copies, const ir_array *inputs, ir_array *outputs)
{
    if (batch < 1) return ir_fail("a batch of %d samples cannot be evaluated", (int)batch);
    const evaluation e = {g, batch, copies, calloc((size_t)g->n_values + 1, sizeof(number *))};
    bool done = true;
    for (ir_id id = 0; id < g->n_values && done; id++) {
        e.of[id] = calloc((size_t)count(&e, &g->values[id]), sizeof(number));
        if (g->values[id].op == IR_input)
            read_input(&e, id, inputs++);
        else
            done = eval_value(&e, id);
    }
    for (int32_t i = 0; i < g->n_outputs && done; i++) write_output(&e, g->outputs[i].value, &outputs[i]);
    for (ir_id id = 0; id < g->n_values; id++) free(e.of[id]);
    free(e.of);
    return done;
}
