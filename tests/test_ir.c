/*
 * test_ir.c - graphs: what may be built, what the evaluator makes of it, what the verifier lets through.
 *
 * The evaluator is the oracle of everything else, so its own witnesses are plain loops and libm, written out here, and for
 * complex numbers the derivatives of analysis.
 */
#include "random_graph.h"

#include <float.h>

static ir_id op(ir_graph *g, ir_op o, ir_id a, ir_id b)
{
    const ir_id id = ir_value_new(g, o, b == IR_NONE ? 1 : 2, (ir_id[]){a, b}, NULL);
    if (id == IR_NONE) fail_msg("%s", ir_error());
    return id;
}

static ir_id vector(ir_graph *g, const char *name, ir_kind kind, int32_t n)
{
    return ir_input(g, name, kind, 1, &n);
}

static ir_id scalar(ir_graph *g, const char *name, ir_kind kind)
{
    return ir_input(g, name, kind, 0, NULL);
}

static ir_id matrix(ir_graph *g, const char *name, int32_t rows, int32_t columns)
{
    return ir_input(g, name, IR_SHARED, 2, (int32_t[]){rows, columns});
}

static void test_shapes_that_do_not_fit(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id w = matrix(g, "W", 50, 2), x = vector(g, "x", IR_SAMPLE, 3), y = vector(g, "y", IR_SAMPLE, 2);
    const ir_id s = scalar(g, "s", IR_SAMPLE), h = scalar(g, "h", IR_SHARED), a = vector(g, "a", IR_SHARED, 6);
    const struct {
        ir_op op;
        int32_t n_args;
        ir_id args[3];
        int32_t attr[2];
        const char *message;
    } cases[] = {
        {IR_matvec, 2, {w, x}, {0}, "matvec: matrix (50, 2) does not fit vector (3)"},
        {IR_matvec_t, 2, {w, x}, {0}, "matvec_t: matrix (50, 2) does not fit vector (3)"},
        {IR_matvec, 2, {x, y}, {0}, "matvec: argument 1 has shape (3), it must be a matrix"},
        {IR_add, 2, {x, y}, {0}, "add: shapes (3) and (2) do not fit"},
        {IR_add, 2, {a, w}, {0}, "add: shapes (6) and (50, 2) do not fit"},
        {IR_mul, 2, {s, w}, {0}, "mul: a matrix cannot be per sample"},
        {IR_add, 1, {x}, {0}, "add: 1 arguments given, it takes 2"},
        {IR_add, 2, {x, 99}, {0}, "add: there is no value 99"},
        {IR_concat, 0, {0}, {0}, "concat: 0 arguments given, it takes at least 1"},
        {IR_concat, 2, {x, w}, {0}, "concat: argument 2 is a matrix"},
        {IR_sum, 1, {s}, {0}, "sum: argument 1 has shape (), it must be a vector"},
        {IR_expand, 1, {x}, {2}, "expand: argument 1 has shape (3), it must be a scalar"},
        {IR_expand, 1, {s}, {0}, "expand: a size of 0 is not possible"},
        {IR_index, 1, {x}, {3}, "index: features [3, 4) of 3 do not exist"},
        {IR_index, 1, {x}, {-1}, "index: features [-1, 0) of 3 do not exist"},
        {IR_slice, 1, {x}, {1, 3}, "slice: features [1, 4) of 3 do not exist"},
        {IR_pad, 1, {x}, {4, 6}, "pad: features [4, 7) of 6 do not exist"},
        {IR_reshape, 1, {a}, {2, 2}, "reshape: (6) does not fit (2, 2)"},
        {IR_reshape, 1, {x}, {3, 1}, "reshape: the argument is per sample, it must be shared"},
        {IR_batch_sum, 1, {a}, {0}, "batch_sum: the argument is shared, it must be per sample"},
        {IR_spread, 1, {x}, {0}, "spread: the argument is per sample, it must be shared"},
        {IR_spread, 1, {w}, {0}, "spread: a matrix cannot be per sample"},
        {IR_outer, 2, {x, a}, {0}, "outer: argument 2 is shared, it must be per sample"},
        {IR_outer, 2, {x, s}, {0}, "outer: argument 2 has shape (), it must be a vector"},
        {IR_pick, 2, {x, x}, {0}, "pick: argument 2 has shape (3), it must be a scalar"},
        {IR_scatter, 2, {x, h}, {3}, "scatter: argument 1 has shape (3), it must be a scalar"},
        {IR_input, 0, {0}, {0}, "op 1 takes no arguments, or is none"},
    };
    const int32_t before = g->n_values;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ir_value_new(g, cases[i].op, cases[i].n_args, cases[i].args, cases[i].attr), IR_NONE);
        assert_string_equal(ir_error(), cases[i].message);
    }
    assert_int_equal(ir_input(g, "M", IR_SAMPLE, 2, (int32_t[]){2, 2}), IR_NONE);
    assert_string_equal(ir_error(), "input: 'M': a matrix cannot be per sample");
    assert_int_equal(ir_input(g, "x", IR_SAMPLE, 1, (int32_t[]){4}), IR_NONE);
    assert_string_equal(ir_error(), "input: 'x' has shape (3) already, not (4)");
    assert_int_equal(vector(g, "x", IR_SAMPLE, 3), x);
    assert_int_equal(g->n_values, before);
}

static void test_kinds_and_broadcasting(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id w = matrix(g, "W", 3, 2), x = vector(g, "x", IR_SAMPLE, 2), a = vector(g, "a", IR_SHARED, 2);
    const ir_id h = scalar(g, "h", IR_SHARED), s = scalar(g, "s", IR_SAMPLE);
    const struct {
        ir_id value;
        ir_kind kind;
        int rank;
        int32_t dim[2];
    } cases[] = {
        {op(g, IR_mul, h, h), IR_SHARED, 0, {1, 1}},          {op(g, IR_mul, h, a), IR_SHARED, 1, {2, 1}},
        {op(g, IR_mul, a, s), IR_SAMPLE, 1, {2, 1}},          {op(g, IR_mul, w, h), IR_SHARED, 2, {3, 2}},
        {op(g, IR_matvec, w, a), IR_SHARED, 1, {3, 1}},       {op(g, IR_matvec, w, x), IR_SAMPLE, 1, {3, 1}},
        {op(g, IR_outer, x, x), IR_SHARED, 2, {2, 2}},        {op(g, IR_batch_sum, s, IR_NONE), IR_SHARED, 0, {1, 1}},
        {op(g, IR_concat, a, s), IR_SAMPLE, 1, {3, 1}},       {op(g, IR_pick, a, s), IR_SAMPLE, 0, {1, 1}},
        {op(g, IR_rowmax, x, IR_NONE), IR_SAMPLE, 0, {1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ir_value *v = &g->values[cases[i].value];
        assert_int_equal(v->kind, cases[i].kind);
        assert_int_equal(v->rank, cases[i].rank);
        assert_memory_equal(v->dim, cases[i].dim, sizeof v->dim);
    }
}

/* A classifier and the gradient of its loss, in loops. */
enum { BATCH = 5, IN = 4, HIDDEN = 6, OUT = 3 };

static void test_network_against_loops(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, IN), w1 = matrix(g, "W1", HIDDEN, IN), time = vector(g, "w1t", IR_SHARED, HIDDEN);
    const ir_id t = scalar(g, "t", IR_SHARED), w2 = matrix(g, "W2", OUT, HIDDEN), label = scalar(g, "label", IR_SAMPLE);
    const ir_id z1 = op(g, IR_add, op(g, IR_matvec, w1, x), op(g, IR_mul, t, time)), a1 = op(g, IR_tanh, z1, IR_NONE);
    const ir_id z2 = op(g, IR_matvec, w2, a1), shift = op(g, IR_rowmax, z2, IR_NONE);
    const ir_id e = op(g, IR_exp, op(g, IR_sub, z2, shift), IR_NONE), total = op(g, IR_sum, e, IR_NONE);
    const ir_id loss = op(g, IR_sub, op(g, IR_add, op(g, IR_log, total, IR_NONE), shift), op(g, IR_pick, z2, label));
    const ir_id one = ir_const(g, 1, NULL);
    const ir_id hot = ir_value_new(g, IR_scatter, 2, (ir_id[]){one, label}, (int32_t[]){OUT});
    const ir_id cot2 = op(g, IR_sub, op(g, IR_div, e, total), hot);
    const ir_id cot1 = op(g, IR_mul, op(g, IR_matvec_t, w2, cot2), op(g, IR_sub, one, op(g, IR_mul, a1, a1)));
    ir_add_output(g, "loss", op(g, IR_batch_sum, loss, IR_NONE), true);
    ir_add_output(g, "class", op(g, IR_argmax, z2, IR_NONE), false);
    ir_add_output(g, "cot_x", op(g, IR_matvec_t, w1, cot1), false);
    ir_add_output(g, "grad_W2", op(g, IR_outer, cot2, a1), true);
    assert_true(ir_verify(g));

    const uint64_t seed = 17;
    const ir_id ids[] = {x, w1, time, t, w2, label};
    ir_array in[6];
    for (int i = 0; i < 6; i++) in[i] = random_input(&g->values[ids[i]], BATCH, seed, 0);
#define AT(i, k) creal(in[i].x[k])
    double loss_sum = 0, grad[OUT * HIDDEN] = {0};
    ir_array *outputs = evaluate(g, BATCH, seed, 0);
    for (int b = 0; b < BATCH; b++) {
        double a[HIDDEN], z[OUT], p[OUT], cot_a[HIDDEN] = {0}, cot_x[IN] = {0}, sum = 0;
        for (int i = 0; i < HIDDEN; i++) {
            a[i] = 0;
            for (int k = 0; k < IN; k++) a[i] += AT(1, i * IN + k) * AT(0, b * IN + k);
            a[i] = tanh(a[i] + AT(3, 0) * AT(2, i));
        }
        int best = 0;
        for (int i = 0; i < OUT; i++) {
            z[i] = 0;
            for (int k = 0; k < HIDDEN; k++) z[i] += AT(4, i * HIDDEN + k) * a[k];
            if (z[i] > z[best]) best = i;
        }
        for (int i = 0; i < OUT; i++) sum += exp(z[i] - z[best]);
        loss_sum += log(sum) + z[best] - z[(int)AT(5, b)];
        for (int i = 0; i < OUT; i++) {
            p[i] = exp(z[i] - z[best]) / sum - (i == (int)AT(5, b));
            for (int k = 0; k < HIDDEN; k++) grad[i * HIDDEN + k] += p[i] * a[k];
            for (int k = 0; k < HIDDEN; k++) cot_a[k] += AT(4, i * HIDDEN + k) * p[i];
        }
        for (int i = 0; i < HIDDEN; i++)
            for (int k = 0; k < IN; k++) cot_x[k] += AT(1, i * IN + k) * (cot_a[i] * (1 - a[i] * a[i]));
        assert_true(creal(outputs[1].x[b]) == best);
        for (int k = 0; k < IN; k++) assert_true(outputs[2].x[b * IN + k] == cot_x[k]);
    }
#undef AT
    assert_true(outputs[0].x[0] == loss_sum);
    for (int i = 0; i < OUT * HIDDEN; i++) assert_true(outputs[3].x[i] == grad[i]);
    for (int i = 0; i < 6; i++) free(in[i].x);
    free_outputs(g, outputs);
}

static void test_moves_against_loops(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 4), w = matrix(g, "W", 2, 3), s = scalar(g, "s", IR_SAMPLE);
    const ir_id flat = ir_value_new(g, IR_reshape, 1, &w, (int32_t[]){6, 0});
    const ir_id row = ir_value_new(g, IR_slice, 1, &flat, (int32_t[]){3, 3});
    const ir_id padded = ir_value_new(g, IR_pad, 1, &s, (int32_t[]){1, 3});
    const ir_id feature = ir_value_new(g, IR_index, 1, &x, (int32_t[]){2});
    const ir_id three = ir_value_new(g, IR_expand, 1, &feature, (int32_t[]){3});
    const ir_id all = ir_value_new(g, IR_concat, 3, (ir_id[]){op(g, IR_spread, row, IR_NONE), padded, three}, NULL);
    ir_add_output(g, "all", all, false);
    ir_array *in = (ir_array[]){random_input(&g->values[x], 2, 3, 0), random_input(&g->values[w], 2, 3, 0),
                                random_input(&g->values[s], 2, 3, 0)};
    ir_array *outputs = evaluate(g, 2, 3, 0);
    for (int b = 0; b < 2; b++) {
        const double complex *y = outputs[0].x + 9 * b, f = in[0].x[4 * b + 2];
        const double complex expected[9] = {in[1].x[3], in[1].x[4], in[1].x[5], 0, in[2].x[b], 0, f, f, f};
        for (int i = 0; i < 9; i++) assert_true(y[i] == expected[i]);
    }
    for (int i = 0; i < 3; i++) free(in[i].x);
    free_outputs(g, outputs);
}

static double complex eval1(ir_op o, double complex x, double complex y, double *terms)
{
    ir_graph *g = ir_graph_new();
    const ir_id a = scalar(g, "a", IR_SHARED), b = scalar(g, "b", IR_SHARED);
    ir_add_output(g, "out", op(g, o, a, ir_ops[o].arity == 2 ? b : IR_NONE), false);
    ir_array inputs[] = {{.x = &x}, {.x = &y}}, out;
    assert_true(ir_eval(g, 1, inputs, &out));
    const double complex result = out.x[0];
    if (terms) *terms = out.terms[0];
    free(out.x);
    free(out.terms);
    return result;
}

/* Real functions are libm's to the bit; the complex step gives their derivatives to the last digits. */
static void test_functions(void **state)
{
    (void)state;
    const double x = 0.7345, y = -1.21, step = 1e-20;
    const struct {
        ir_op op;
        double x, y, value, dx;
    } cases[] = {
        {IR_div, x, y, x / y, 1 / y},
        {IR_sqrt, x, 0, sqrt(x), 0.5 / sqrt(x)},
        {IR_exp, x, 0, exp(x), exp(x)},
        {IR_log, x, 0, log(x), 1 / x},
        {IR_log1p, x, 0, log1p(x), 1 / (1 + x)},
        {IR_log1p, 1e-18, 0, 1e-18, 1},
        {IR_sin, x, 0, sin(x), cos(x)},
        {IR_cos, x, 0, cos(x), -sin(x)},
        {IR_tanh, x, 0, tanh(x), 1 / (cosh(x) * cosh(x))},
        {IR_tanh, 30, 0, 1, 0},
        {IR_sigmoid, x, 0, 1 / (1 + exp(-x)), exp(-x) / ((1 + exp(-x)) * (1 + exp(-x)))},
        {IR_sigmoid, -800, 0, 0, 0},
        {IR_pow, x, y, pow(x, y), y * pow(x, y - 1)},
        {IR_pow, y, 3, y * y * y, 3 * y * y},
        {IR_pow, y, -2, 1 / (y * y), -2 / (y * y * y)},
        {IR_pow, 0, 0, 1, 0},
        {IR_abs, y, 0, -y, -1},
        {IR_abs, 0, 0, 0, 0},
        {IR_sign, y, 0, -1, 0},
        {IR_max, x, y, x, 1},
        {IR_max, x, x, x, 1},
        {IR_max, y, x, x, 0},
        {IR_min, y, x, y, 1},
        {IR_min, x, y, y, 0},
        {IR_lt, y, x, 1, 0},
        {IR_le, x, x, 1, 0},
        {IR_eq, x, y, 0, 0},
        {IR_stop, x, 0, x, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double complex real = eval1(cases[i].op, cases[i].x, cases[i].y, NULL);
        const double complex moved = eval1(cases[i].op, CMPLX(cases[i].x, step), cases[i].y, NULL);
        assert_true(creal(real) == cases[i].value && cimag(real) == 0);
        assert_true(fabs(creal(moved) - cases[i].value) <= 4 * DBL_EPSILON * fabs(cases[i].value));
        assert_true(fabs(cimag(moved) / step - cases[i].dx) <= 8 * DBL_EPSILON * (1 + fabs(cases[i].dx)));
    }
    assert_true(isinf(creal(eval1(IR_mul, INFINITY, 2, NULL))));
}

/* 1 + 1e-17 - 1 is 0 of terms 2. */
static void test_terms(void **state)
{
    (void)state;
    double terms;
    eval1(IR_sub, 3, 5, &terms);
    assert_true(terms == 8);
    eval1(IR_mul, -3, 5, &terms);
    assert_true(terms >= 15 && terms < 31);
    eval1(IR_exp, 10, 0, &terms);
    assert_true(terms >= 10 * exp(10) && terms <= 11.1 * exp(10));

    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SHARED, 4);
    ir_add_output(g, "out", op(g, IR_sum, x, IR_NONE), false);
    double complex numbers[] = {1, 1e-17, -1, 0};
    ir_array in = {.x = numbers}, out;
    assert_true(ir_eval(g, 1, &in, &out));
    assert_true(out.x[0] == 0 && out.terms[0] == 2);
    free(out.x);
    free(out.terms);
}

/* x = (1e8 + 0.3) - 1e8 is wrong in its eighth digit, and so is a function of it: its terms must say so, not much more. */
static void test_terms_of_cancelled_arguments(void **state)
{
    (void)state;
    static const ir_op ops[] = {IR_neg, IR_sqrt, IR_exp, IR_log, IR_log1p, IR_sin, IR_cos, IR_tanh, IR_sigmoid, IR_abs, IR_stop};
    static const ir_op ops2[] = {IR_add, IR_sub, IR_mul, IR_div, IR_pow, IR_max, IR_min};
    const size_t n = sizeof ops / sizeof *ops, n2 = sizeof ops2 / sizeof *ops2;
    ir_graph *g = ir_graph_new();
    const ir_id far = scalar(g, "far", IR_SHARED), near = scalar(g, "near", IR_SHARED);
    const ir_id x = op(g, IR_sub, op(g, IR_add, far, near), far);
    for (size_t i = 0; i < n; i++) ir_add_output(g, ir_ops[ops[i]].name, op(g, ops[i], x, IR_NONE), false);
    for (size_t i = 0; i < n2; i++) ir_add_output(g, ir_ops[ops2[i]].name, op(g, ops2[i], x, x), false);

    double complex near_zero = 0, far_off = 1e8, number = 0.3;
    ir_array exact[n + n2], cancelled[n + n2];
    assert_true(ir_eval(g, 1, (ir_array[]){{.x = &near_zero}, {.x = &number}}, exact));
    assert_true(ir_eval(g, 1, (ir_array[]){{.x = &far_off}, {.x = &number}}, cancelled));
    for (size_t i = 0; i < n + n2; i++) {
        const double error = cabs(cancelled[i].x[0] - exact[i].x[0]), rounding = DBL_EPSILON * cancelled[i].terms[0];
        assert_true(error <= rounding && rounding < 1e-6);
        free(exact[i].x);
        free(exact[i].terms);
        free(cancelled[i].x);
        free(cancelled[i].terms);
    }
}

static void test_label_out_of_range(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 2), label = scalar(g, "label", IR_SAMPLE);
    ir_add_output(g, "out", op(g, IR_pick, x, label), false);
    double complex numbers[] = {1, 2, 3, 4}, labels[] = {1, 2};
    ir_array in[] = {{.x = numbers}, {.x = labels}}, out;
    assert_false(ir_eval(g, 2, in, &out));
    assert_string_equal(ir_error(), "pick: label 2 of sample 1 is not one of 0 .. 1");
}

static void test_complex_step_against_differences(void **state)
{
    (void)state;
    const double step = 1e-20, apart = 1e-5;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        const ir_graph *g = make_random_graph(seed, 40, true);
        ir_array *along = evaluate(g, 2, seed, step * I), *up = evaluate(g, 2, seed, apart), *down = evaluate(g, 2, seed, -apart);
        for (int32_t o = 0; o < g->n_outputs; o++)
            for (int64_t i = 0; i < output_size(g, o, 2); i++) {
                const double derivative = cimag(along[o].x[i]) / step;
                const double difference = creal(up[o].x[i] - down[o].x[i]) / (2 * apart);
                assert_true(fabs(derivative - difference) <= 1e-6 * (1 + along[o].terms[i] + fabs(derivative)));
            }
        free_outputs(g, along);
        free_outputs(g, up);
        free_outputs(g, down);
    }
}

/* Each change breaks one invariant; the graph must be refused, and accepted again when it is undone. */
static void refuse(const ir_graph *g, void *field, const void *wrong, size_t size)
{
    unsigned char right[sizeof(double)];
    memcpy(right, field, size);
    memcpy(field, wrong, size);
    if (ir_verify(g)) {
        ir_print(g, stderr);
        fail_msg("a corrupted graph was accepted");
    }
    memcpy(field, right, size);
    if (!ir_verify(g)) fail_msg("%s", ir_error());
}

static void test_verifier_refuses_corrupted_graphs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        ir_graph *g = make_random_graph(seed, 40, false);
        for (ir_id id = 0; id < g->n_values; id++) {
            ir_value *v = &g->values[id];
            const int32_t many = v->n_args + 1, negative = -1, dim = v->dim[0] + 1, zero = 0;
            const ir_op none = IR_OPS;
            const ir_kind other = v->kind == IR_SAMPLE ? IR_SHARED : IR_SAMPLE;
            const int rank = v->rank + 1;
            refuse(g, &v->op, &none, sizeof none);
            if (v->op != IR_input) refuse(g, &v->rank, &rank, sizeof rank);
            if (v->op != IR_input) refuse(g, &v->dim[0], &dim, sizeof dim);
            if (v->op != IR_input) refuse(g, &v->kind, &other, sizeof other);
            if (v->op == IR_input && v->rank > 0) refuse(g, &v->dim[0], &zero, sizeof zero);
            if (ir_ops[v->op].arity >= 0) refuse(g, &v->n_args, &many, sizeof many);
            for (int32_t k = 0; k < v->n_args; k++) {
                refuse(g, &v->args[k], &id, sizeof id);
                refuse(g, &v->args[k], &g->n_values, sizeof id);
                refuse(g, &v->args[k], &negative, sizeof id);
            }
        }
        const char *nothing = NULL;
        const bool yes = true;
        refuse(g, &g->values[0].name, &nothing, sizeof nothing);
        refuse(g, &g->values[0].name, &g->values[1].name, sizeof nothing);
        refuse(g, &g->outputs[0].name, &nothing, sizeof nothing);
        refuse(g, &g->outputs[0].name, &g->outputs[2].name, sizeof nothing);
        refuse(g, &g->outputs[0].value, &g->n_values, sizeof(ir_id));
        if (g->values[g->outputs[0].value].kind == IR_SAMPLE) refuse(g, &g->outputs[0].accumulate, &yes, sizeof yes);
    }
}

static void test_print(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "carry[0]", IR_SAMPLE, 3), w = matrix(g, "params", 2, 3);
    const ir_id k = op(g, IR_tanh, op(g, IR_matvec, w, x), IR_NONE), c = ir_const(g, 44 / 45.0, "44/45");
    ir_set_name(g, k, "k1");
    ir_add_output(g, "out[0]", ir_value_new(g, IR_slice, 1, &k, (int32_t[]){1, 1}), false);
    ir_add_output(g, "grad", op(g, IR_mul, c, w), true);
    assert_text(g, "%0 = input carry[0] : sample (3)\n"
                   "%1 = input params : shared (2, 3)\n"
                   "%2 = matvec %1 %0 : sample (2)\n"
                   "%3 = tanh %2 : sample (2)  k1\n"
                   "%4 = const 0.97777777777777775 \"44/45\" : shared ()\n"
                   "%5 = slice %3 [1, 1] : sample (1)\n"
                   "%6 = mul %4 %1 : shared (2, 3)\n"
                   "output out[0] = %5\n"
                   "output grad += %6\n");
    char *first = text_of(make_random_graph(5, 60, false)), *second = text_of(make_random_graph(5, 60, false));
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void test_count(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 3), w = matrix(g, "W", 2, 3), b = vector(g, "b", IR_SHARED, 2);
    const ir_id h = scalar(g, "h", IR_SHARED);
    const ir_id y = op(g, IR_tanh, op(g, IR_add, op(g, IR_matvec, w, x), op(g, IR_mul, h, b)), IR_NONE);
    ir_add_output(g, "y", y, false);
    ir_add_output(g, "grad", op(g, IR_outer, y, x), true);
    ir_add_output(g, "s", op(g, IR_sum, y, IR_NONE), false);
    const ir_counts c = ir_count(g);
    assert_int_equal(c.flop, 2 * 2 * 3 + 2 + 2 + 2 * 2 * 3 + 2); /* W x, + b, tanh, outer, sum */
    assert_int_equal(c.shared_flop, 2);
    assert_int_equal(c.loads, 3);
    assert_int_equal(c.stores, 3);
    assert_int_equal(c.op[IR_input], 4);
    assert_int_equal(c.op[IR_matvec], 1);
}

/* A reverse step reads from the tape what the forward step stored. */
static void test_extract(void **state)
{
    (void)state;
    ir_graph *g = ir_graph_new();
    const ir_id x = vector(g, "x", IR_SAMPLE, 2), y = vector(g, "y", IR_SAMPLE, 2);
    const ir_id stage = op(g, IR_exp, op(g, IR_mul, x, y), IR_NONE);
    ir_add_output(g, "out", op(g, IR_add, stage, y), false);
    const ir_graph *part = ir_extract(g, 1, &stage, (const char *[]){"tape[0]"});
    assert_text(part, "%0 = input y : sample (2)\n"
                      "%1 = input tape[0] : sample (2)\n"
                      "%2 = add %1 %0 : sample (2)\n"
                      "output out = %2\n");
    assert_true(ir_verify(part));
    op(g, IR_sin, x, IR_NONE);
    assert_int_equal(ir_extract(g, 0, NULL, NULL)->n_values, g->n_values - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_that_do_not_fit),
        cmocka_unit_test(test_kinds_and_broadcasting),
        cmocka_unit_test(test_network_against_loops),
        cmocka_unit_test(test_moves_against_loops),
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_terms_of_cancelled_arguments),
        cmocka_unit_test(test_label_out_of_range),
        cmocka_unit_test(test_complex_step_against_differences),
        cmocka_unit_test(test_verifier_refuses_corrupted_graphs),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_extract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
